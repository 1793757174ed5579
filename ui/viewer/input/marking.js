// Marking spans with keys and drags.

import { keyOf, keyRows } from "./keys.js";
import { DRAG } from "./touch.js";

/** @import { MarkEditor } from "../panels/mark_editor.js" */

/** M marks what is chosen: a token, or the span that a drag or the keys I and O have left.
 *  @param {MarkEditor} editor */
export function takeMarkKeys(editor) {
  const { viewer } = editor;
  const rows = keyRows([
    ["M", "mark the token, or the span"],
    ["Shift drag", "mark a span"],
  ]);
  viewer.elements.keys.firstElementChild?.append(...rows);
  viewer.elements.stage.addEventListener("keydown", (event) => {
    if (!viewer.current || !editor.labels.length || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") editor.switch(false);
    if (keyOf(event) !== "m") return;
    event.preventDefault();
    event.stopPropagation();
    const { chosen } = viewer.selection;
    if (chosen) editor.begin(chosen);
    else editor.toggle();
  });
}

/** A drag marks while marking is on, or with Shift; it never gets to the viewer, which would play it.
 *  @param {MarkEditor} editor */
export function takeMarkDrags(editor) {
  const { viewer } = editor;
  const { selection } = viewer;
  const { stage, picture } = viewer.elements;
  /** @type {{time: number, x: number} | null} */
  let from = null;
  /** @param {PointerEvent} event */
  const timeOf = (event) => viewer.shown.axis.time(event.clientX - stage.getBoundingClientRect().left);
  /** @param {PointerEvent} event */
  const begins = (event) =>
    event.button === 0 &&
    viewer.current &&
    editor.labels.length &&
    (editor.on || event.shiftKey) &&
    event.target instanceof Node &&
    stage.contains(event.target);
  const capture = { capture: true }; // before the viewer's own listeners on the stage
  picture.addEventListener(
    "pointerdown",
    (event) => {
      if (!begins(event)) return;
      event.stopPropagation();
      from = { time: timeOf(event), x: event.clientX };
      stage.setPointerCapture(event.pointerId);
    },
    capture,
  );
  picture.addEventListener(
    "pointermove",
    (event) => {
      if (!from) return;
      event.stopPropagation();
      selection.setSpan(from.time, timeOf(event));
    },
    capture,
  );
  picture.addEventListener(
    "pointerup",
    (event) => {
      if (!from) return;
      event.stopPropagation();
      const { trace } = viewer.shown;
      const token = trace.at(from.time);
      if (Math.abs(event.clientX - from.x) > DRAG) selection.setSpan(from.time, timeOf(event));
      else if (token >= 0) selection.setSpan(...trace.interval(token));
      from = null;
      const { span } = selection;
      if (span && span[1] > span[0]) editor.begin(span);
    },
    capture,
  );
  picture.addEventListener(
    "pointercancel",
    (event) => {
      if (!from) return;
      event.stopPropagation();
      from = null;
    },
    capture,
  );
}
