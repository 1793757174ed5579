// Where the lanes lie, and what a pixel in them stands for.

import { clamp } from "../numbers.js";

/** @import { Lane, Lanes, Layout } from "../types.js" */

const GAP = 22; // above each lane, for its title
const SCALE = 22; // below the lanes, for the seconds

/** Which lane lies where, for a width in pixels; two more lanes when another trace is compared with this one, one
 *  for the attribution of a word, and one of `words` pixels for those of the experts.
 *  @param {number} width @param {{against?: unknown, attribution?: unknown, words?: number}} [shown]
 *  @returns {Layout} */
export function layout(width, { against = null, attribution = null, words = 0 } = {}) {
  const narrow = width < 560;
  const routing = narrow ? 64 : 76;
  const heights = {
    wave: narrow ? 34 : 40,
    ...(words ? { words } : {}),
    sound: narrow ? 140 : 176,
    ...(attribution ? { attribution: narrow ? 50 : 64 } : {}),
    routing,
    ...(against ? { otherRouting: routing, moved: 44 } : {}),
    entropy: narrow ? 30 : 32,
    significance: narrow ? 64 : 76,
  };
  const lanes = /** @type {Lanes} */ ({});
  let top = 0;
  for (const [name, height] of /** @type {[keyof Lanes, number][]} */ (Object.entries(heights))) {
    top += name === "wave" ? 6 : GAP;
    lanes[name] = { top, height, bottom: top + height };
    top += height;
  }
  return { lanes, narrow, left: narrow ? 34 : 44, right: 10, bottom: top, height: top + SCALE };
}

/** Lowest and highest sample of [from, to). @param {Float32Array} samples @param {number} from @param {number} to */
export function extent(samples, from, to) {
  let low = Infinity;
  let high = -Infinity;
  const end = Math.min(Math.max(Math.ceil(to), Math.floor(from) + 2), samples.length);
  for (let i = Math.max(0, Math.floor(from)); i < end; i++) {
    if (samples[i] < low) low = samples[i];
    if (samples[i] > high) high = samples[i];
  }
  return low > high ? [0, 0] : [low, high];
}

/** The same of peaks, which come in pairs of lowest and highest.
 *  @param {Int8Array} peaks @param {number} from @param {number} to */
export function extentOfPeaks(peaks, from, to) {
  let low = Infinity;
  let high = -Infinity;
  const end = Math.min(Math.max(Math.ceil(to), Math.floor(from) + 1), peaks.length / 2);
  for (let i = Math.max(0, Math.floor(from)); i < end; i++) {
    low = Math.min(low, peaks[2 * i]);
    high = Math.max(high, peaks[2 * i + 1]);
  }
  return low > high ? [0, 0] : [low, high];
}

/** Height of a frequency in a lane whose bands are evenly spaced.
 *  @param {number[]} centres @param {number} hertz @param {Lane} lane */
export function yOfHertz(centres, hertz, lane) {
  let band = centres.findIndex((centre) => centre >= hertz);
  if (band < 0) band = centres.length - 1;
  const before = Math.max(band - 1, 0);
  const share = band === before ? 0 : (hertz - centres[before]) / (centres[band] - centres[before]);
  return lane.bottom - ((before + share + 0.5) / centres.length) * lane.height;
}

/** The band at a height of the lane. @param {number[]} centres @param {number} y @param {Lane} lane */
export function bandAt(centres, y, lane) {
  return clamp(Math.floor(((lane.bottom - y) / lane.height) * centres.length), 0, centres.length - 1);
}
