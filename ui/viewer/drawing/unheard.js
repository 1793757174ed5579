// What the model was not given: the rest of the clip, and the silence its last window was filled up with.

import { fixed } from "../numbers.js";
import { FONT } from "./surface.js";

/** @import { Lanes } from "../types.js" */
/** @import { Surface } from "./surface.js" */

/** @param {Surface} surface */
export function drawUnheard(surface) {
  const { axis, trace, plan } = surface;
  const { duration } = trace.heard;
  /** @type {[number, number, string][]} */
  const unheard = [
    [0, trace.first, `not heard: ${fixed(0, 1)}–${fixed(trace.first, 1)} s`],
    [trace.last, duration, `not heard: ${fixed(trace.last, 1)}–${fixed(duration, 1)} s`],
  ];
  for (const [start, end, text] of unheard) {
    if (end - start > 0.01) drawOutside(surface, start, end, ["wave", "sound"], text);
  }
  const lanes = /** @type {(keyof Lanes)[]} */ (Object.keys(plan.lanes));
  const ofTokens = lanes.filter((name) => name !== "wave" && name !== "sound");
  if (trace.first > 0.01) drawOutside(surface, 0, trace.first, ofTokens, "");
  const padded = trace.paddedEnd > trace.last + 1e-6 ? trace.paddedEnd : trace.last;
  if (axis.to > padded) drawOutside(surface, padded, axis.to, ofTokens, "");
  if (padded > trace.last) {
    for (const name of trace.last >= duration - 0.01 ? lanes : ofTokens) drawPadding(surface, name, padded);
  }
}

/** @param {Surface} surface @param {number} start @param {number} end
 *  @param {(keyof Lanes)[]} names @param {string} text */
function drawOutside(surface, start, end, names, text) {
  const { axis, plan, palette, context } = surface;
  const left = Math.max(axis.left, axis.x(start));
  const right = Math.min(surface.right, axis.x(end));
  if (right - left < 0.5) return;
  for (const name of names) {
    const lane = plan.lanes[name];
    if (lane) surface.hatched(left, right, lane, palette.paper, palette.line, -1);
  }
  context.font = `11px ${FONT}`;
  if (!text || right - left < 24) return;
  // Upright where the words do not fit across.
  const lane = plan.lanes.sound;
  context.save();
  context.translate((left + right) / 2, lane.top + lane.height / 2);
  const across = context.measureText(text).width;
  if (across + 12 > right - left) context.rotate(-Math.PI / 2);
  context.fillStyle = palette.paper;
  context.fillRect(-across / 2 - 5, -9, across + 10, 18);
  context.fillStyle = palette.quiet;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, 0, 0);
  context.restore();
}

/** Dots from the end of what was heard. @param {Surface} surface @param {keyof Lanes} name @param {number} end */
function drawPadding(surface, name, end) {
  const { axis, plan, palette, context, trace } = surface;
  const lane = plan.lanes[name];
  if (!lane) return;
  const left = Math.max(axis.left, axis.x(trace.last));
  const right = Math.min(surface.right, axis.x(end));
  context.fillStyle = palette.paper;
  context.fillRect(left, lane.top, right - left, lane.height);
  context.fillStyle = palette.quiet;
  for (let x = left + 3; x < right - 1; x += 5) {
    for (let y = lane.top + 4; y < lane.bottom - 1; y += 5) context.fillRect(x, y, 1, 1);
  }
}
