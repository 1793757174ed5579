// Plays exact spans of the heard audio. A span is cut sample by sample, so what is heard is what is drawn.

import { clamp } from "../numbers.js";

/** @import { Interval } from "../types.js" */

const RATE = 16000; // Hz, as the model hears
const FADE = 32; // samples: 2 ms at the edges of a span, against clicks

export class Player {
  /** `changed` is called when playing starts or ends. @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {Float32Array<ArrayBuffer> | null} */
    this.samples = null;
    /** What was asked for last: its spans in seconds of the audio, and whether it loops.
     *  @type {{spans: Interval[], buffer: AudioBuffer, loop: boolean} | null} */
    this.plan = null;
    /** @type {AudioBufferSourceNode | null} */
    this.source = null;
    /** @type {AudioContext | null} */
    this.context = null;
    this.began = 0; // on the context's clock
    this.offset = 0;
  }

  /** Decode the audio at the model's own rate; it has so many samples. Rejects where the browser cannot.
   *  @param {Uint8Array<ArrayBuffer>} bytes @param {number} samples */
  async load(bytes, samples) {
    this.stop();
    this.samples = null;
    const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes.buffer);
    this.samples = decoded.getChannelData(0).subarray(0, samples);
  }

  /** Get ready to sound, while the browser sees that a person asked for it. */
  wake() {
    this.context ??= new AudioContext();
    void this.context.resume();
  }

  get playing() {
    return this.source !== null;
  }

  get paused() {
    return this.source === null && this.offset > 0;
  }

  /** Play spans [[start, end], ...] one after the other, from the time `at` on. Returns seconds, 0 for none.
   *  @param {Interval[]} spans @param {{loop?: boolean, at?: number | null}} [options] */
  play(spans, { loop = false, at = null } = {}) {
    this.stop();
    const buffer = this.cut(spans);
    if (!buffer) return 0;
    this.plan = { spans, buffer, loop };
    this.begin(this.plan, at === null ? 0 : elapsed(this.plan, at));
    return buffer.duration;
  }

  /** The samples of the spans, faded at their edges; null for none. @param {Interval[]} spans */
  cut(spans) {
    const { samples } = this;
    if (!samples) return null;
    const edges = spans.map((span) => span.map((time) => clamp(Math.round(time * RATE), 0, samples.length)));
    const total = edges.reduce((sum, [start, end]) => sum + end - start, 0);
    if (total === 0) return null;
    this.context ??= new AudioContext();
    const buffer = this.context.createBuffer(1, total, RATE);
    const out = buffer.getChannelData(0);
    let written = 0;
    for (const [start, end] of edges) {
      const piece = samples.slice(start, end);
      const fade = Math.min(FADE, piece.length >> 1);
      for (let i = 0; i < fade; i++) {
        piece[i] *= i / fade;
        piece[piece.length - 1 - i] *= i / fade;
      }
      out.set(piece, written);
      written += piece.length;
    }
    return buffer;
  }

  /** @param {NonNullable<Player["plan"]>} plan @param {number} offset */
  begin({ buffer, loop }, offset) {
    const context = (this.context ??= new AudioContext());
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.loop = loop;
    source.connect(context.destination);
    source.onended = () => {
      if (this.source !== source) return;
      this.source = null;
      this.offset = 0;
      this.changed();
    };
    void context.resume();
    this.began = context.currentTime - offset;
    source.start(0, offset);
    this.source = source;
    this.changed();
  }

  pause() {
    if (!this.playing) return;
    const passed = this.passed();
    this.stop();
    this.offset = passed;
  }

  resume() {
    if (this.plan && this.paused) this.begin(this.plan, this.offset);
  }

  stop() {
    this.offset = 0;
    const source = this.source;
    this.source = null;
    source?.stop();
    if (source) this.changed();
  }

  /** @param {boolean} loop */
  setLoop(loop) {
    if (this.plan) this.plan.loop = loop;
    if (this.source) this.source.loop = loop;
  }

  /** Seconds of the plan that have been heard. */
  passed() {
    if (!this.plan || !this.context || !this.playing) return this.offset;
    const since = Math.max(0, this.context.currentTime - this.began - (this.context.outputLatency || 0));
    const { buffer, loop } = this.plan;
    return loop ? since % buffer.duration : Math.min(since, buffer.duration);
  }

  /** Where the playhead stands in seconds of the audio, or null. */
  position() {
    return this.plan && (this.playing || this.paused) ? timeAfter(this.plan.spans, this.passed()) : null;
  }
}

/** The time of the audio when so many seconds of the spans have been heard.
 *  @param {Interval[]} spans @param {number} seconds */
export function timeAfter(spans, seconds) {
  for (const [start, end] of spans) {
    if (seconds <= end - start) return start + seconds;
    seconds -= end - start;
  }
  return spans[spans.length - 1][1];
}

/** How many seconds of the spans lie before a time of the audio; 0 when all do.
 *  @param {{spans: Interval[], buffer: {duration: number}}} plan @param {number} time */
export function elapsed({ spans, buffer }, time) {
  const sum = spans.reduce((seconds, [start, end]) => seconds + clamp(time, start, end) - start, 0);
  return sum < buffer.duration ? sum : 0;
}
