// The arithmetic of the region: what of a clip is heard, how its edges move, and the waveform around it.

import { clamp } from "../../../viewer/numbers.js";

export const SHORTEST = 1; // seconds
const PEAK = 255;

/** On the grid of the number fields. @param {number} seconds */
const tenth = (seconds) => Math.round(seconds * 10) / 10;

/** A span of a clip that is longer than what is heard at once, all in seconds. */
export class Span {
  /** @param {{duration: number, longest: number}} clip */
  constructor({ duration, longest }) {
    this.duration = duration;
    this.longest = longest;
    this.start = 0;
    this.end = longest;
  }

  /** Never more than is heard, nor less than the rest of the clip. */
  get length() {
    return Math.min(Math.ceil((this.end - this.start) * 10 - 1e-6) / 10, this.longest);
  }

  /** As the number fields have it; what is missing there stays.
   *  @param {number | null} start @param {number | null} length */
  set(start, length) {
    const seconds = clamp(length ?? this.end - this.start, SHORTEST, this.longest);
    this.start = clamp(start ?? this.start, 0, this.duration - SHORTEST);
    this.end = Math.min(this.start + seconds, this.duration);
  }

  /** Move all of it, so that it begins at a time. @param {number} start */
  move(start) {
    const length = this.end - this.start;
    this.start = clamp(tenth(start), 0, this.duration - length);
    this.end = this.start + length;
  }

  /** @param {number} time */
  centre(time) {
    this.move(time - (this.end - this.start) / 2);
  }

  /** Past the longest span the end comes along. @param {number} time */
  moveStart(time) {
    this.start = clamp(tenth(time), 0, this.end - SHORTEST);
    this.end = Math.min(this.end, this.start + this.longest);
  }

  /** Past the longest span the start comes along. @param {number} time */
  moveEnd(time) {
    this.end = clamp(tenth(time), this.start + SHORTEST, this.duration);
    this.start = Math.max(this.start, this.end - this.longest);
  }
}

/** Seconds that a key moves what has the focus by, as in every slider; null for another key.
 *  @param {{key: string, shiftKey: boolean}} event @param {Span} span */
export function keyStep({ key, shiftKey }, span) {
  const arrow = shiftKey ? 0.1 : 1;
  const page = span.longest / 2;
  /** @type {Record<string, number>} */
  const steps = {
    ArrowLeft: -arrow,
    ArrowDown: -arrow,
    ArrowRight: arrow,
    ArrowUp: arrow,
    PageDown: -page,
    PageUp: page,
    Home: -span.duration,
    End: span.duration,
  };
  return steps[key] ?? null;
}

/** The waveform between two times as the outline of a path, `columns` wide, from -1 to 1.
 *  @param {Uint8Array} peaks of equal parts of the clip @param {number} duration
 *  @param {number} from @param {number} to @param {number} columns */
export function outline(peaks, duration, from, to, columns) {
  const heights = Array.from({ length: columns }, (_, column) => {
    const part = (/** @type {number} */ edge) => ((from + ((to - from) * edge) / columns) / duration) * peaks.length;
    const first = Math.floor(part(column));
    const last = Math.max(Math.ceil(part(column + 1)), first + 1);
    return peaks.subarray(first, last).reduce((highest, peak) => Math.max(highest, peak), 0) / PEAK;
  });
  const point = (/** @type {number} */ height, /** @type {number} */ column) => `${column},${height.toFixed(3)}`;
  const above = heights.map((height, column) => point(-height, column));
  const below = heights.map((height, column) => point(height, column)).reverse();
  return `M${above.join("L")}L${below.join("L")}Z`;
}

/** Minutes and seconds. @param {number} seconds */
export function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const [hours, minutes] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60];
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
