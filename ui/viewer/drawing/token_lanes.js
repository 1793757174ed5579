// The lanes with a value for each token: routing, entropy, significance, differences, attribution.

/** @import { Trace } from "../trace.js" */
/** @import { Lane, ShownAttribution } from "../types.js" */
/** @import { Surface } from "./surface.js" */

/** What a word loses without a token, up; what it gains, down.
 *  @param {Surface} surface @param {Lane} lane @param {ShownAttribution} attribution */
export function drawAttribution(surface, lane, { scores, highest }) {
  const { context, palette, axis } = surface;
  const middle = lane.top + lane.height / 2;
  for (const [index, left, right] of surface.visible()) {
    const height = (scores[index] / highest) * (lane.height / 2 - 2);
    context.fillStyle = height > 0 ? palette.accent : palette.threshold;
    context.fillRect(left, middle - Math.max(height, 0), Math.max(right - left, 0.8), Math.abs(height));
  }
  context.fillStyle = palette.line;
  context.fillRect(axis.left, middle - 0.5, axis.width, 1);
}

/** Routing weights over each other; they sum to 1.
 *  @param {Surface} surface @param {Lane} lane @param {Trace} trace */
export function drawRouting(surface, lane, trace) {
  const { context } = surface;
  for (const [index, left, right] of surface.visible()) {
    let y = lane.bottom;
    // A hairline of paper between tokens as soon as there is room for it.
    const seam = right - left > 6 ? 1 : 0;
    trace.tokens.routing[index].forEach((weight, expert) => {
      const height = weight * lane.height;
      context.fillStyle = trace.colourOf(expert);
      // Without seams neighbours overlap a little, or their edges would shimmer.
      context.fillRect(left, y - height, right - left - seam + (seam ? 0 : 0.4), height);
      y -= height;
    });
  }
}

/** With the threshold, and the other answer's significance where there is one.
 *  @param {Surface} surface @param {Lane} lane @param {number} threshold @param {Trace | null} other */
export function drawSignificance(surface, lane, threshold, other) {
  const { context, palette, trace } = surface;
  const y = lane.bottom - threshold * lane.height;
  if (other) drawSteps(surface, lane, other.tokens.significance, 1, palette.quiet, [2, 3]);
  drawCurve(surface, lane, trace.tokens.significance, 1, (index) => trace.redundant(index, threshold));
  context.strokeStyle = palette.threshold;
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  context.beginPath();
  context.moveTo(surface.axis.left, y);
  context.lineTo(surface.right, y);
  context.stroke();
  context.setLineDash([]);
}

/** Steps over a filled area; `faint` tells which tokens are filled weakly.
 *  @param {Surface} surface @param {Lane} lane @param {number[]} values @param {number} highest
 *  @param {(index: number) => boolean} faint */
export function drawCurve(surface, lane, values, highest, faint = () => true) {
  const { context, palette } = surface;
  for (const [index, left, right] of surface.visible()) {
    const y = heightOf(lane, values[index], highest);
    context.fillStyle = palette.line;
    context.globalAlpha = faint(index) ? 0.45 : 1;
    context.fillRect(left, y, right - left + 0.3, lane.bottom - y);
  }
  context.globalAlpha = 1;
  drawSteps(surface, lane, values, highest, palette.ink, []);
}

/** @param {Surface} surface @param {Lane} lane @param {number[]} values @param {number} highest
 *  @param {string} colour @param {number[]} dash */
function drawSteps(surface, lane, values, highest, colour, dash) {
  const { context } = surface;
  context.strokeStyle = colour;
  context.lineWidth = 1.4;
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.beginPath();
  let started = false;
  for (const [index, left, right] of surface.visible()) {
    const y = heightOf(lane, values[index], highest);
    if (started) context.lineTo(left, y);
    else context.moveTo(left, y);
    context.lineTo(right, y);
    started = true;
  }
  context.stroke();
  context.setLineDash([]);
}

/** @param {Lane} lane @param {number} value @param {number} highest */
const heightOf = (lane, value, highest) => lane.bottom - 1 - (value / highest) * (lane.height - 2);
