// One answer's trace as the viewer reads it: typed columns, decoded pictures, and what follows from a threshold.

import { fixed, mean, percent, shareMoved } from "./numbers.js";

/** @import { Interval, TraceData } from "./types.js" */

/** @param {string} base64 */
export function bytesOf(base64) {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

export class Trace {
  /** @param {TraceData} data */
  constructor(data) {
    this.data = data;
    this.key = data.key;
    this.link = data.link;
    this.source = data.source;
    this.summary = data.summary;
    this.answer = data.answer;
    this.question = data.question;
    this.fingerprint = data.fingerprint;
    this.model = data.model;
    this.heard = data.heard;
    this.paddedEnd = data.paddedEnd;
    this.experts = data.experts;
    this.colours = data.colours;
    this.supervision = data.supervision;
    this.threshold = data.threshold;
    this.pruned = data.pruned;
    this.tokens = data.tokens;
    this.sound = data.sound;
    this.audible = data.audible;
    this.router = data.router;
    this.collapsed = data.collapsed;
    this.dead = data.dead;
    this.mel = bytesOf(data.sound.mel); // a row of frames for each band, the lowest band first
    this.peaks = new Int8Array(bytesOf(data.sound.peaks).buffer);
    this.frames = this.mel.length / data.sound.hertz.length;
    this.count = data.tokens.start.length;
    this.first = data.heard.start;
    this.last = data.heard.end;
  }

  get tallestEntropy() {
    return Math.log2(Math.max(this.experts.length, 2));
  }

  /** @param {number} expert */
  colourOf(expert) {
    return this.colours[expert % this.colours.length];
  }

  /** Start and end of a token. @param {number} index @returns {Interval} */
  interval(index) {
    return [this.tokens.start[index], this.tokens.end[index]];
  }

  /** The token that covers a time in seconds of the clip, or -1 outside the heard span. @param {number} time */
  at(time) {
    if (time < this.first || time >= this.last) return -1;
    const starts = this.tokens.start;
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {number} index @param {number} threshold */
  redundant(index, threshold) {
    return this.tokens.significance[index] <= threshold;
  }

  /** Unbroken runs of kept or redundant tokens within [from, to], as [start, end] in seconds of the clip.
   *  @param {boolean} redundant @param {number} threshold */
  runs(redundant, threshold, from = this.first, to = this.last) {
    return this.runsOf((index) => this.redundant(index, threshold) === redundant, from, to);
  }

  /** The same of what is hatched: where redundant tokens are not read those that were not, else the redundant ones.
   *  @param {number} threshold @param {number} from @param {number} to */
  hatched(threshold, from, to) {
    if (!this.pruned) return this.runs(true, threshold, from, to);
    return this.runsOf((index) => this.tokens.dropped[index], from, to);
  }

  /** The same of tokens that pass a test.
   *  @param {(index: number) => boolean} test @param {number} from @param {number} to */
  runsOf(test, from, to) {
    /** @type {Interval[]} */
    const found = [];
    for (let index = 0; index < this.count; index++) {
      if (!test(index)) continue;
      const start = Math.max(this.tokens.start[index], from);
      const end = Math.min(this.tokens.end[index], to);
      if (end <= start) continue;
      const before = found[found.length - 1];
      if (before && Math.abs(before[1] - start) < 1e-6) before[1] = end;
      else found.push([start, end]);
    }
    return found;
  }

  /** Tokens and seconds on each side of a threshold. @param {number} threshold */
  split(threshold) {
    const sides = { kept: { tokens: 0, seconds: 0 }, redundant: { tokens: 0, seconds: 0 } };
    for (let index = 0; index < this.count; index++) {
      const side = sides[this.redundant(index, threshold) ? "redundant" : "kept"];
      side.tokens += 1;
      side.seconds += this.tokens.end[index] - this.tokens.start[index];
    }
    return sides;
  }

  /** Whether the picture says that the language model did not read a token. @param {number} index */
  unread(index) {
    return this.pruned && this.tokens.dropped[index];
  }

  /** Mean routing weight of every expert over the clip. */
  load() {
    return this.experts.map((_, expert) => mean(this.tokens.routing.map((weights) => weights[expert])));
  }

  /** How far another trace of the same sound is: per token, the share of weight that goes to other experts.
   *  @param {Trace} other */
  moved(other) {
    return this.tokens.routing.map((weights, index) => shareMoved(weights, other.tokens.routing[index]));
  }

  /** One token in words, for screen readers. @param {number} index @param {number} threshold */
  words(index, threshold) {
    const tokens = this.tokens;
    const routing = this.experts.map((name, e) => `${name} ${percent(tokens.routing[index][e])}`).join(", ");
    const word = tokens.word[index].trim();
    const spoken = tokens.words[index].map(
      ({ expert, text, confidence }) => `${expert}: ${text}, ${percent(confidence)}`,
    );
    return (
      `Token ${index + 1} of ${this.count}, ${fixed(tokens.start[index], 2)} to ${fixed(tokens.end[index], 2)} s, ` +
      `${this.redundant(index, threshold) ? "redundant" : "kept"}, ` +
      (this.unread(index) ? "not read by the language model, " : "") +
      `significance ${fixed(tokens.significance[index], 2)}, ${routing}${word ? `, word ${word}` : ""}` +
      (spoken.length ? `; words of the experts: ${spoken.join("; ")}` : "")
    );
  }
}
