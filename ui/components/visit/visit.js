// Keeps the visit, as the server names it, and a question that is not asked yet: this tab's own for a reload, the
// latest one of all for a new tab.

const VISIT = "usam-visit";
const DRAFT = "usam-draft";

/** What a storage does; nothing where the browser denies it. @template T @param {() => T} act */
function allowed(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

function keep() {
  for (const storage of [() => sessionStorage, () => localStorage]) {
    allowed(() => storage().setItem(VISIT, props.value));
  }
}
for (const property of Object.keys({ value: keep })) watch(property, keep);

const box = () => /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#question textarea"));

/** Once the box is there. @param {string} text */
function type(text) {
  const question = box();
  if (!question) return void setTimeout(() => type(text), 100);
  if (question.value) return;
  question.value = text;
  question.dispatchEvent(new Event("input", { bubbles: true }));
}

const draft = allowed(() => sessionStorage.getItem(DRAFT));
if (draft) type(draft);
addEventListener("pagehide", () => allowed(() => sessionStorage.setItem(DRAFT, box()?.value ?? "")));
