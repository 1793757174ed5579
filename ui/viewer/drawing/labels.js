// The words around the lanes: titles, legends, scales, and the seconds below.

import { clamp, fixed } from "../numbers.js";
import { yOfHertz } from "./lanes.js";
import { FONT } from "./surface.js";

/** @import { Lane, ShownAttribution } from "../types.js" */
/** @import { Surface } from "./surface.js" */
/** @import { WordLane } from "./word_lane.js" */

const TICKS_HZ = [100, 250, 500, 1000, 2000, 4000, 7500];
const LONGEST_WORD = 24; // characters in a title

/** @param {Surface} surface
 *  @param {{threshold: number, attribution: ShownAttribution | null, words: WordLane}} shown */
export function drawLabels(surface, { threshold, attribution, words }) {
  const { context, plan, trace } = surface;
  const { lanes } = plan;
  context.textBaseline = "alphabetic";
  drawTitles(surface, attribution);
  const unread = plan.narrow ? "not read" : "not read by the language model";
  drawLegend(surface, lanes.sound, [[trace.pruned ? unread : "redundant", null]]);
  if (lanes.words) {
    drawLegend(surface, lanes.words, words.groups.map(({ name, expert }) => [name, words.colourOf(expert)]));
  }
  drawLegend(surface, lanes.routing, trace.experts.map((name, expert) => [name, trace.colourOf(expert)]));
  drawThresholdLabel(surface, threshold);
  drawScales(surface, attribution);
  drawSeconds(surface);
}

/** @param {Surface} surface @param {ShownAttribution | null} attribution */
function drawTitles({ context, plan, palette, axis }, attribution) {
  const { lanes, narrow } = plan;
  /** @param {Lane | undefined} lane @param {string} long @param {string} short */
  const title = (lane, long, short) => {
    if (!lane) return;
    context.font = `600 12px ${FONT}`;
    context.fillStyle = palette.ink;
    context.textAlign = "left";
    context.fillText(narrow ? short : long, axis.left, lane.top - 7);
  };
  title(lanes.words, "Words that the experts say", "Words");
  title(lanes.sound, "Mel spectrogram, Hz", "Mel, Hz");
  title(lanes.routing, "Routing: weight of each expert", "Routing");
  title(lanes.entropy, "Router entropy, bits", "Entropy, bits");
  title(lanes.significance, "Significance of each token", "Significance");
  const whole = attribution?.word.text ?? "";
  const word = `“${whole.length > LONGEST_WORD ? `${whole.slice(0, LONGEST_WORD)}…` : whole}”`;
  title(lanes.attribution, `Attribution of ${word}: nats it loses without the token`, `${word}, nats`);
  title(lanes.otherRouting, "Routing of the other answer", "Routing, other answer");
  title(lanes.moved, "Difference: share of a token's weight that goes to other experts", "Difference in routing");
}

/** Names with their colours, at the right; without a colour, hatched.
 *  @param {Surface} surface @param {Lane} lane @param {[string, string | null][]} items */
function drawLegend(surface, lane, items) {
  const { context, palette, plan } = surface;
  const [size, box, space] = plan.narrow ? [11, 9, 8] : [12, 16, 12];
  context.font = `${size}px ${FONT}`;
  context.textAlign = "right";
  let right = surface.right;
  for (const [whole, colour] of items.toReversed()) {
    const name = plan.narrow ? whole.replace(/^expert (\d+), mostly /, "$1: ") : whole;
    const swatch = { top: lane.top - 17, height: 11, bottom: lane.top - 6 };
    context.fillStyle = palette.ink;
    context.fillText(name, right, lane.top - 7);
    const left = right - context.measureText(name).width - box - 6;
    if (colour) {
      context.fillStyle = colour;
      context.fillRect(left, swatch.top, box, swatch.height);
    } else surface.hatched(left, left + box, swatch, palette.well, palette.ink, 1);
    right = left - space;
  }
}

/** @param {Surface} surface @param {number} threshold */
function drawThresholdLabel({ context, plan, palette, right }, threshold) {
  const { lanes, narrow } = plan;
  context.font = `12px ${FONT}`;
  context.textAlign = "right";
  context.fillStyle = palette.threshold;
  const flagged = `redundant up to ${fixed(threshold, 2)}`;
  context.fillText(flagged, right, lanes.significance.top - 7);
  if (!lanes.otherRouting || narrow) return;
  context.fillStyle = palette.quiet;
  const left = right - context.measureText(flagged).width - 12;
  context.fillText("dotted: the other answer", left, lanes.significance.top - 7);
}

/** @param {Surface} surface @param {ShownAttribution | null} attribution */
function drawScales({ context, plan, palette, trace, axis }, attribution) {
  context.font = `11px ${FONT}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  /** @param {number} y @param {string} text */
  const tick = (y, text) => {
    context.fillStyle = palette.line;
    context.fillRect(axis.left - 4, y - 0.5, 4, 1);
    context.fillStyle = palette.quiet;
    context.fillText(text, axis.left - 7, y);
  };
  /** @param {Lane | undefined} lane @param {number[]} values */
  const shares = (lane, values) => {
    if (lane) for (const value of values) tick(lane.bottom - value * lane.height, `${value}`);
  };
  const { lanes } = plan;
  for (const hertz of TICKS_HZ) {
    if (plan.narrow && (hertz === 250 || hertz === 7500)) continue;
    tick(yOfHertz(trace.sound.hertz, hertz, lanes.sound), hertz >= 1000 ? `${hertz / 1000}k` : `${hertz}`);
  }
  for (const lane of [lanes.routing, lanes.otherRouting, lanes.significance]) shares(lane, [0, 0.5, 1]);
  shares(lanes.moved, [0, 1]);
  if (lanes.attribution && attribution) {
    const { highest } = attribution;
    const size = fixed(highest, highest < 0.1 ? 3 : 2);
    tick(lanes.attribution.top + 2, size);
    tick(lanes.attribution.top + lanes.attribution.height / 2, "0");
    tick(lanes.attribution.bottom - 2, `−${size}`);
  }
  tick(lanes.entropy.bottom, "0");
  tick(lanes.entropy.top, fixed(trace.tallestEntropy, 1));
}

/** @param {Surface} surface */
function drawSeconds({ context, plan, palette, axis, right }) {
  const { times, digits } = axis.ticks(plan.narrow ? 56 : 84);
  context.font = `11px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const time of times) {
    const x = axis.x(time);
    context.fillStyle = palette.line;
    context.fillRect(x - 0.5, plan.bottom, 1, 5);
    context.fillStyle = palette.quiet;
    const text = fixed(time, digits);
    const half = context.measureText(text).width / 2;
    context.fillText(text, clamp(x, half, right + plan.right - half - 14), plan.bottom + 8);
  }
  context.textAlign = "right";
  context.fillText("s", right + plan.right, plan.bottom + 8);
}
