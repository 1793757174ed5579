// Mouse, pen, wheel and minimap: which gesture does what. Fingers are in `touch.js`.

import { wholeAxis } from "../drawing/minimap.js";
import { hover, leave } from "./hover.js";
import { DRAG, Touch } from "./touch.js";

/** @import { TimeAxis } from "../drawing/axis.js" */
/** @import { Viewer } from "../viewer.js" */

const WHEEL = 1.0015; // zoom for each pixel of the wheel

/** @param {Viewer} viewer */
export function takePointer(viewer) {
  const { stage, map } = viewer.elements;
  const touch = new Touch(viewer);
  /** @param {MouseEvent} event */
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  /** @param {PointerEvent} event */
  const byFinger = (event) => event.pointerType === "touch";
  /** @type {{x: number, dragged: boolean} | null} */
  let press = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !viewer.current) return;
    const [x] = place(event);
    stage.setPointerCapture(event.pointerId);
    if (byFinger(event)) touch.down(event.pointerId, x);
    else press = { x, dragged: false };
  });
  stage.addEventListener("pointermove", (event) => {
    if (!viewer.current) return;
    const [x, y] = place(event);
    if (byFinger(event)) touch.move(event.pointerId, x);
    else if (press && (press.dragged || Math.abs(x - press.x) > DRAG)) {
      press.dragged = true;
      viewer.selection.drag(press.x, x);
    } else hover(viewer, x, y);
  });
  stage.addEventListener("pointerup", (event) => {
    const [x, y] = place(event);
    if (byFinger(event)) touch.up(event.pointerId, x, y);
    if (!press) return;
    if (press.dragged) viewer.playback.playChosen();
    else viewer.selection.click(x, y);
    press = null;
  });
  stage.addEventListener("pointercancel", () => {
    press = null;
    touch.cancel();
  });
  stage.addEventListener("pointerleave", (event) => {
    if (!byFinger(event) && !press && viewer.current) leave(viewer);
  });
  stage.addEventListener("wheel", (event) => wheel(viewer, event, place(event)[0]), { passive: false });
  map.addEventListener("pointerdown", (event) => map.setPointerCapture(event.pointerId));
  for (const type of /** @type {const} */ (["pointerdown", "pointermove"])) {
    map.addEventListener(type, (event) => {
      if (event.buttons) centre(viewer, event.clientX - map.getBoundingClientRect().left);
    });
  }
}

/** @param {Viewer} viewer @param {WheelEvent} event @param {number} x */
function wheel(viewer, event, x) {
  if (!viewer.current) return;
  const mine = event.ctrlKey || document.activeElement === viewer.elements.stage;
  if (!turnWheel(viewer.current.axis, event, x, mine)) return;
  event.preventDefault();
  viewer.refresh();
}

/** Move or zoom the view with the wheel; whether anything was done. `mayZoom`: a wheel over a picture that is not
 *  being used scrolls the page.
 *  @param {TimeAxis} axis @param {Pick<WheelEvent, "deltaX" | "deltaY" | "shiftKey">} event
 *  @param {number} x @param {boolean} mayZoom */
export function turnWheel(axis, { deltaX, deltaY, shiftKey }, x, mayZoom) {
  const sideways = shiftKey || Math.abs(deltaX) > Math.abs(deltaY);
  if (sideways && axis.zoomed) axis.pan(((deltaX || deltaY) / axis.width) * axis.length);
  else if (mayZoom && (axis.zoomed || deltaY < 0)) axis.zoom(WHEEL ** -deltaY, axis.time(x));
  else return false;
  return true;
}

/** Bring a place of the minimap into the middle of the view. @param {Viewer} viewer @param {number} x */
function centre(viewer, x) {
  const { trace, axis } = viewer.shown;
  const time = wholeAxis(trace, axis).time(x);
  axis.show(time - axis.length / 2, time + axis.length / 2);
  viewer.refresh();
}
