// The time axis that every lane shares: what there is to see, what is in view, and where a second lies in pixels.

import { clamp } from "../numbers.js";

/** @import { Trace } from "../trace.js" */

const SHORTEST_VIEW = 0.2; // seconds
const MARGIN = 0.12; // of the heard span: how much of the unheard clip is shown on either side

export class TimeAxis {
  /** @param {Pick<Trace, "first" | "last" | "paddedEnd" | "heard">} trace */
  constructor(trace) {
    const margin = MARGIN * (trace.last - trace.first);
    this.low = Math.max(0, trace.first - margin);
    this.high = Math.max(Math.min(trace.heard.duration, trace.last + margin), trace.paddedEnd);
    this.from = this.low;
    this.to = this.high;
    this.left = 0;
    this.width = 1;
  }

  get length() {
    return this.to - this.from;
  }

  get zoomed() {
    return this.length < (this.high - this.low) * 0.999;
  }

  /** Where the axis lies, in CSS pixels. @param {number} left @param {number} width */
  place(left, width) {
    this.left = left;
    this.width = Math.max(width, 1);
  }

  /** @param {number} time */
  x(time) {
    return this.left + ((time - this.from) / this.length) * this.width;
  }

  /** @param {number} x */
  time(x) {
    return this.from + ((x - this.left) / this.width) * this.length;
  }

  /** Show [from, to], as far as the clip goes; the length is kept where it can be.
   *  @param {number} from @param {number} to */
  show(from, to) {
    const whole = this.high - this.low;
    const length = clamp(to - from, Math.min(SHORTEST_VIEW, whole), whole);
    this.from = clamp(from, this.low, this.high - length);
    this.to = this.from + length;
  }

  /** Zoom by a factor (above 1: closer) so that `time` stays where it is. @param {number} factor */
  zoom(factor, time = (this.from + this.to) / 2) {
    const whole = this.high - this.low;
    const length = clamp(this.length / factor, Math.min(SHORTEST_VIEW, whole), whole);
    const from = time - ((time - this.from) / this.length) * length;
    this.show(from, from + length);
  }

  /** @param {number} seconds */
  pan(seconds) {
    this.show(this.from + seconds, this.to + seconds);
  }

  /** Zoom and pan so that two times lie at two places, as far as the clip goes.
   *  @param {number} x1 @param {number} time1 @param {number} x2 @param {number} time2 */
  pin(x1, time1, x2, time2) {
    const whole = this.high - this.low;
    const length = ((time2 - time1) / (x2 - x1)) * this.width;
    if (!(length > 0 && Number.isFinite(length))) return; // the fingers have met or crossed
    const shown = clamp(length, Math.min(SHORTEST_VIEW, whole), whole);
    const from = (time1 + time2) / 2 - (((x1 + x2) / 2 - this.left) / this.width) * shown;
    this.show(from, from + shown);
  }

  fit() {
    this.show(this.low, this.high);
  }

  /** Bring [start, end] into view without changing the zoom. @param {number} start @param {number} end */
  reveal(start, end) {
    if (start < this.from) this.pan(start - this.from - 0.1 * this.length);
    else if (end > this.to) this.pan(end - this.to + 0.1 * this.length);
  }

  /** Round times to label, about one every `gap` pixels, and the digits they need. @param {number} gap */
  ticks(gap) {
    const rough = (this.length * gap) / this.width;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = ([1, 2, 5].find((multiple) => multiple * power >= rough) ?? 10) * power;
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const times = [];
    for (let n = Math.ceil(this.from / step - 1e-9); n * step <= this.to + 1e-9; n++) times.push(n * step);
    return { times, digits };
  }
}
