// The keyboard: everything the viewer can do, and the list of it.

import { make } from "../panels/make.js";

/** @import { Viewer } from "../viewer.js" */

/** @type {[string, string][]} */
const KEYS = [
  ["← →", "previous or next token; with Shift ten tokens"],
  ["Home End", "first or last token"],
  ["Enter", "play the token"],
  ["Space", "play or pause"],
  ["I O", "let the span begin, or end, with the token"],
  ["+ − 0", "zoom in, out, whole clip"],
  ["Page ↑ ↓", "move the view"],
  ["L", "loop"],
  ["Esc", "close this list; stop; release the token and the span"],
  ["?", "this list"],
  ["click, tap", "lock a token and play it; on a word, play from there"],
  ["drag", "play a span; What if can drop it"],
  ["wheel", "zoom, once the picture is clicked or with Ctrl; with Shift move"],
  ["finger", "drag to move the view; hold, then drag, for a span; pinch to zoom"],
];

/** The list of keys, with those that other parts of the viewer add. @param {[string, string][]} keys */
export function keyRows(keys) {
  return keys.map(([names, what]) => make("div", {}, make("dt", { text: names }), make("dd", { text: what })));
}

export const keyList = () => make("dl", {}, ...keyRows(KEYS));

/** @param {Viewer} viewer */
export function takeKeys(viewer) {
  viewer.root.addEventListener("keydown", (event) => {
    const { keys, help } = viewer.elements;
    if (event.key !== "Escape" || keys.hidden) return;
    event.stopImmediatePropagation(); // it closes the list, and nothing else
    if (keys.contains(document.activeElement)) help.focus();
    toggleKeys(viewer);
  }, { capture: true });
  viewer.elements.stage.addEventListener("keydown", (event) => {
    if (!viewer.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actionsOf(viewer, event.shiftKey ? 10 : 1)[keyOf(event)];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
}

/** A key's name, a letter's without regard to its case. @param {KeyboardEvent} event */
export const keyOf = ({ key }) => (key.length === 1 ? key.toLowerCase() : key);

/** Show or hide the list of keys. @param {Viewer} viewer */
export function toggleKeys({ elements: { keys, help } }) {
  keys.hidden = !keys.hidden;
  help.setAttribute("aria-expanded", String(!keys.hidden));
}

/** What each key does. @param {Viewer} viewer @param {number} far @returns {Record<string, () => void>} */
function actionsOf(viewer, far) {
  const { selection, playback, shown } = viewer;
  const { trace, axis } = shown;
  return {
    ArrowRight: () => selection.step(far),
    ArrowUp: () => selection.step(far),
    ArrowLeft: () => selection.step(-far),
    ArrowDown: () => selection.step(-far),
    Home: () => selection.goTo(0),
    End: () => selection.goTo(trace.count - 1),
    Enter: () => selection.locked >= 0 && playback.playToken(selection.locked),
    " ": () => playback.toggle(),
    i: () => selection.setEdge("start"),
    o: () => selection.setEdge("end"),
    "+": () => viewer.zoomBy("in"),
    "=": () => viewer.zoomBy("in"),
    "-": () => viewer.zoomBy("out"),
    0: () => viewer.zoomBy("fit"),
    PageUp: () => viewer.pan(-0.5 * axis.length),
    PageDown: () => viewer.pan(0.5 * axis.length),
    l: () => playback.toggleLoop(),
    Escape: () => selection.release(),
    "?": () => toggleKeys(viewer),
  };
}
