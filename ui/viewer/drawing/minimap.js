// The whole clip small, with the part in view framed.

import { TimeAxis } from "./axis.js";
import { contextOf } from "./colours.js";

/** @import { Trace } from "../trace.js" */
/** @import { Layout, Palette } from "../types.js" */

export const MINIMAP_HEIGHT = 34;

/** The axis of the minimap: the whole clip as wide as the part in view is.
 *  @param {Trace} trace @param {TimeAxis} axis */
export function wholeAxis(trace, axis) {
  const whole = new TimeAxis(trace);
  whole.place(axis.left, axis.width);
  return whole;
}

/** @param {HTMLCanvasElement} canvas @param {HTMLCanvasElement} picture
 *  @param {{trace: Trace, axis: TimeAxis, plan: Layout, palette: Palette, playhead: number | null}} shown */
export function drawMinimap(canvas, picture, { trace, axis, plan, palette, playhead }) {
  const whole = wholeAxis(trace, axis);
  const context = contextOf(canvas);
  const [left, width, height] = [whole.left, whole.width, MINIMAP_HEIGHT];
  context.fillStyle = palette.well;
  context.fillRect(0, 0, left + width + plan.right, height);
  const [start, end] = [whole.x(trace.first), whole.x(trace.last)];
  context.drawImage(picture, start, 0, end - start, height);
  const [from, to] = [whole.x(axis.from), whole.x(axis.to)];
  context.fillStyle = palette.veil;
  context.fillRect(left, 0, from - left, height);
  context.fillRect(to, 0, left + width - to, height);
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  context.strokeRect(from + 1, 1, Math.max(to - from - 2, 2), height - 2);
  if (playhead !== null) {
    context.fillStyle = palette.accent;
    context.fillRect(whole.x(playhead) - 1, 0, 2, height);
  }
}
