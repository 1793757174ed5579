// Elements made in scripts. All text is set as text, never as markup.

/** An element: `make("p", {class: "note", text: words}, child, ...)`.
 *  @template {keyof HTMLElementTagNameMap} Tag
 *  @param {Tag} tag
 *  @param {Record<string, string | number | Record<string, string>>} attributes
 *  @param {(Node | string)[]} children */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = String(value);
    else if (typeof value === "object") {
      for (const [key, setting] of Object.entries(value)) element.style.setProperty(key, setting);
    } else element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** A button that does something. `attributes` as in `make`.
 *  @param {Record<string, string | number>} attributes @param {() => void} act @param {(Node | string)[]} children */
export function makeButton(attributes, act, ...children) {
  const button = make("button", { type: "button", ...attributes }, ...children);
  button.addEventListener("click", act);
  return button;
}

/** Pairs of a name and a value as a list. @param {[string, string][]} pairs @param {string} name */
export function makePairs(pairs, name = "") {
  const rows = pairs.flatMap(([term, text]) => [make("dt", { text: term }), make("dd", { text })]);
  return make("dl", name ? { class: name } : {}, ...rows);
}

/** The first element for a selector, which is there. @param {ParentNode} root @param {string} selector
 *  @returns {HTMLElement} */
export function find(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`no element is ${selector}`);
  return found;
}

/** The same of one kind. @template {HTMLElement} Kind
 *  @param {ParentNode} root @param {string} selector @param {new () => Kind} kind @returns {Kind} */
export function findKind(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} is ${selector}`);
  return found;
}
