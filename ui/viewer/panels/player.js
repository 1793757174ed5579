// Plays exact spans of the heard audio. A span is cut sample by sample, so what is heard is what is drawn.

const RATE = 16000; // Hz, as the model hears
const FADE = 32; // samples: 2 ms at the edges of a span, against clicks

class Player {
  /** `changed` is called when playing starts or ends. */
  constructor(changed) {
    this.changed = changed;
    this.samples = null;
    this.plan = null; // what was asked for last: its spans in seconds of the audio, and whether it loops
    this.source = null;
    this.offset = 0;
  }

  /** Decode the audio at the model's own rate; it has so many samples. Rejects where the browser cannot. */
  async load(bytes, samples) {
    this.stop();
    this.samples = null;
    const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes.buffer);
    this.samples = decoded.getChannelData(0).subarray(0, samples);
  }

  get playing() {
    return this.source !== null;
  }

  get paused() {
    return this.source === null && this.offset > 0;
  }

  /** Play spans [[start, end], ...] one after the other, from the time `at` on. Returns seconds, 0 for none. */
  play(spans, { loop = false, at = null } = {}) {
    this.stop();
    const buffer = this.cut(spans);
    if (!buffer) return 0;
    this.plan = { spans, buffer, loop };
    this.begin(at === null ? 0 : this.elapsed(at));
    return buffer.duration;
  }

  cut(spans) {
    if (!this.samples) return null;
    const edges = spans.map((span) => span.map((time) => clamp(Math.round(time * RATE), 0, this.samples.length)));
    const total = edges.reduce((sum, [start, end]) => sum + end - start, 0);
    if (total === 0) return null;
    this.context ??= new AudioContext();
    const buffer = this.context.createBuffer(1, total, RATE);
    const out = buffer.getChannelData(0);
    let written = 0;
    for (const [start, end] of edges) {
      const piece = this.samples.slice(start, end);
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

  begin(offset) {
    const { buffer, loop } = this.plan;
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.loop = loop;
    source.connect(this.context.destination);
    source.onended = () => {
      if (this.source !== source) return;
      this.source = null;
      this.offset = 0;
      this.changed();
    };
    this.context.resume();
    this.began = this.context.currentTime - offset;
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
    if (this.paused) this.begin(this.offset);
  }

  stop() {
    this.offset = 0;
    const source = this.source;
    this.source = null;
    source?.stop();
    if (source) this.changed();
  }

  setLoop(loop) {
    if (this.plan) this.plan.loop = loop;
    if (this.source) this.source.loop = loop;
  }

  /** Seconds of the plan that have been heard. */
  passed() {
    if (!this.playing) return this.offset;
    const since = Math.max(0, this.context.currentTime - this.began - (this.context.outputLatency || 0));
    const { buffer, loop } = this.plan;
    return loop ? since % buffer.duration : Math.min(since, buffer.duration);
  }

  /** Where the playhead stands in seconds of the audio, or null. */
  position() {
    if (!this.playing && !this.paused) return null;
    let left = this.passed();
    for (const [start, end] of this.plan.spans) {
      if (left <= end - start) return start + left;
      left -= end - start;
    }
    return this.plan.spans.at(-1)[1];
  }

  /** How much of the plan lies before a time of the audio. */
  elapsed(time) {
    let sum = 0;
    for (const [start, end] of this.plan.spans) sum += clamp(time, start, end) - start;
    return sum < this.plan.buffer.duration ? sum : 0;
  }
}
