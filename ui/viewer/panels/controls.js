// The buttons above and below the picture, but for playing (`playback.js`) and the threshold (`threshold.js`).

import { keyList, toggleKeys } from "../input/keys.js";

/** @import { Viewer } from "../viewer.js" */

/** `save` is called for a download; without it there is none.
 *  @param {Viewer} viewer @param {((kind: string) => void) | null} save */
export function takeControls(viewer, save) {
  const { root, elements } = viewer;
  const { keys, help, numbers, exports, link } = elements;
  keys.append(keyList());
  help.addEventListener("click", () => toggleKeys(viewer));
  numbers.addEventListener("toggle", () => numbers.open && viewer.fillTable());
  exports.hidden = !save;
  for (const button of root.querySelectorAll("[data-export]")) {
    if (button instanceof HTMLElement) button.addEventListener("click", () => save?.(button.dataset.export ?? ""));
  }
  for (const button of root.querySelectorAll("[data-zoom]")) {
    if (button instanceof HTMLElement) button.addEventListener("click", () => viewer.zoomBy(button.dataset.zoom));
  }
  link.addEventListener("click", () => copyLink(viewer));
}

/** Put the answer's link in the address bar and, where the browser lets us, on the clipboard. @param {Viewer} viewer */
function copyLink(viewer) {
  const link = new URL(viewer.shown.trace.link ?? "", location.href);
  history.replaceState(null, "", link);
  const shown = "The link to this answer is in the address bar";
  /** @type {Clipboard | undefined} */
  const clipboard = navigator.clipboard; // only on HTTPS and localhost
  const copied = clipboard?.writeText(link.href) ?? Promise.reject();
  copied.then(
    () => viewer.say(`${shown} and on the clipboard.`),
    () => viewer.say(`${shown}.`),
  );
}
