// Draws the lanes on one canvas. Everything is in CSS pixels; the canvas is scaled by the device's pixel ratio.

const FONT = '"IBM Plex Sans", system-ui, sans-serif';
const TICKS_HZ = [100, 250, 500, 1000, 2000, 4000, 7500];
const LONGEST_WORD = 24; // characters in a title

class Painter {
  /** `picture` is the spectrogram, `hatches` the patterns to hatch with. */
  constructor(context, trace, axis, plan, palette, { picture, hatches }) {
    Object.assign(this, { context, trace, axis, plan, palette, picture, hatches });
    this.right = axis.left + axis.width;
  }

  /** Everything that does not move. `samples` is the decoded audio, or null until there is any. */
  draw({ threshold, samples, against, leaning }) {
    Object.assign(this, { against, word: leaning });
    const { context, plan, palette } = this;
    context.fillStyle = palette.paper;
    context.fillRect(0, 0, this.right + plan.right, plan.height);
    for (const [name, lane] of Object.entries(plan.lanes)) {
      context.fillStyle = palette.well;
      context.fillRect(this.axis.left, lane.top, this.axis.width, lane.height);
      this.inside(lane, () => this[name](lane, threshold, samples));
    }
    this.beyond();
    this.titles(threshold);
    this.seconds();
  }

  inside(lane, paint) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(this.axis.left, lane.top, this.axis.width, lane.height);
    context.clip();
    paint();
    context.restore();
  }

  wave(lane, _, samples) {
    const { context, axis, trace } = this;
    const middle = lane.top + lane.height / 2;
    const half = lane.height / 2 - 1;
    const [peak, rate] = samples ? [1, 16000] : [127, trace.sound.rate];
    const loudest = trace.sound.peak || 1;
    const first = Math.max(axis.left, axis.x(trace.first));
    const last = Math.min(this.right, axis.x(trace.last));
    context.fillStyle = this.palette.wave;
    for (let x = first; x < last; x += 0.5) {
      const [low, high] = samples
        ? extent(samples, (axis.time(x) - trace.first) * rate, (axis.time(x + 0.5) - trace.first) * rate)
        : extentOfPeaks(trace.peaks, (axis.time(x) - trace.first) * rate, (axis.time(x + 0.5) - trace.first) * rate);
      const scale = half / (peak * loudest);
      context.fillRect(x, middle - high * scale - 0.4, 0.5, (high - low) * scale + 0.8);
    }
  }

  sound(lane, threshold) {
    const { context, axis, trace, picture } = this;
    const from = Math.max(axis.from, trace.first);
    const to = Math.min(axis.to, trace.last);
    if (to <= from) return;
    const rate = trace.sound.rate;
    const [left, width] = [axis.x(from), axis.x(to) - axis.x(from)];
    // Only where frames share a pixel is the best quality worth its time.
    context.imageSmoothingQuality = (to - from) * rate > width ? "high" : "low";
    context.drawImage(
      picture, (from - trace.first) * rate, 0, (to - from) * rate, picture.height, left, lane.top, width, lane.height,
    );
    for (const [start, end] of trace.runs(true, threshold, axis.from, axis.to)) {
      this.hatched(axis.x(start), axis.x(end), lane, this.palette.veil, this.palette.hatch, 1);
    }
  }

  /** Diagonal lines over [left, right], rising or, for -1, falling. They are a pattern that starts at the canvas's
   *  corner, so that neighbouring runs agree. */
  hatched(left, right, lane, veil, colour, direction) {
    const { context } = this;
    context.fillStyle = veil;
    context.fillRect(left, lane.top, right - left, lane.height);
    context.fillStyle = this.hatches.of(context, colour, direction);
    context.fillRect(left, lane.top, right - left, lane.height);
  }

  /** The tokens in view, with their pixels. Edges are the tokens' own. */
  *visible() {
    const { trace, axis } = this;
    for (let index = Math.max(0, trace.at(Math.max(axis.from, trace.first))); index < trace.count; index++) {
      const start = trace.tokens.start[index];
      if (start > axis.to) return;
      yield [index, axis.x(start), axis.x(trace.tokens.end[index])];
    }
  }

  /** What a word leaned on, up; what it is likelier without, down. */
  leaning(lane) {
    const { context, palette } = this;
    const { scores, highest } = this.word;
    const middle = lane.top + lane.height / 2;
    for (const [index, left, right] of this.visible()) {
      const height = (scores[index] / highest) * (lane.height / 2 - 2);
      context.fillStyle = height > 0 ? palette.accent : palette.threshold;
      context.fillRect(left, middle - Math.max(height, 0), Math.max(right - left, 0.8), Math.abs(height));
    }
    context.fillStyle = palette.line;
    context.fillRect(this.axis.left, middle - 0.5, this.axis.width, 1);
  }

  otherRouting(lane) {
    this.stack(lane, this.against.trace);
  }

  moved(lane) {
    this.curve(lane, this.against.moved, 1, true);
  }

  routing(lane) {
    this.stack(lane, this.trace);
  }

  /** Routing weights over each other; they sum to 1. */
  stack(lane, trace) {
    const { context } = this;
    for (const [index, left, right] of this.visible()) {
      let y = lane.bottom;
      // A hairline of paper between tokens as soon as there is room for it.
      const seam = right - left > 6 ? 1 : 0;
      trace.tokens.routing[index].forEach((weight, expert) => {
        const height = weight * lane.height;
        context.fillStyle = trace.colours[expert % trace.colours.length];
        // Without seams neighbours overlap a little, or their edges would shimmer.
        context.fillRect(left, y - height, right - left - seam + (seam ? 0 : 0.4), height);
        y -= height;
      });
    }
  }

  entropy(lane) {
    this.curve(lane, this.trace.tokens.entropy, this.trace.tallestEntropy, true);
  }

  significance(lane, threshold) {
    const { context, palette } = this;
    const y = lane.bottom - threshold * lane.height;
    if (this.against) this.steps(lane, this.against.trace.tokens.significance, 1, palette.quiet, [2, 3]);
    this.curve(lane, this.trace.tokens.significance, 1, false, (index) => this.trace.redundant(index, threshold));
    context.strokeStyle = palette.threshold;
    context.lineWidth = 1.5;
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(this.axis.left, y);
    context.lineTo(this.right, y);
    context.stroke();
    context.setLineDash([]);
  }

  /** A value for each token as steps over a filled area; `light` tells which tokens are filled weakly. */
  curve(lane, values, highest, plain, light = () => false) {
    const { context, palette } = this;
    const y = (value) => lane.bottom - 1 - (value / highest) * (lane.height - 2);
    for (const [index, left, right] of this.visible()) {
      context.fillStyle = palette.line;
      context.globalAlpha = plain || light(index) ? 0.45 : 1;
      context.fillRect(left, y(values[index]), right - left + 0.3, lane.bottom - y(values[index]));
    }
    context.globalAlpha = 1;
    this.steps(lane, values, highest, palette.ink, []);
  }

  steps(lane, values, highest, colour, dash) {
    const { context } = this;
    const y = (value) => lane.bottom - 1 - (value / highest) * (lane.height - 2);
    context.strokeStyle = colour;
    context.lineWidth = 1.4;
    context.lineJoin = "round";
    context.setLineDash(dash);
    context.beginPath();
    let started = false;
    for (const [index, left, right] of this.visible()) {
      if (started) context.lineTo(left, y(values[index]));
      else context.moveTo(left, y(values[index]));
      context.lineTo(right, y(values[index]));
      started = true;
    }
    context.stroke();
    context.setLineDash([]);
  }

  /** What was not heard, and the silence the model's last window was filled up with. */
  beyond() {
    const { axis, trace, plan } = this;
    const { duration } = trace.heard;
    const unheard = [
      [0, trace.first, `not heard: ${fixed(0, 1)}–${fixed(trace.first, 1)} s`],
      [trace.last, duration, `not heard: ${fixed(trace.last, 1)}–${fixed(duration, 1)} s`],
    ];
    for (const [start, end, text] of unheard) {
      if (end - start > 0.01) this.outside(start, end, ["wave", "sound"], text);
    }
    const tokens = Object.keys(plan.lanes).slice(2);
    if (trace.first > 0.01) this.outside(0, trace.first, tokens, "");
    const padded = trace.paddedEnd > trace.last + 1e-6 ? trace.paddedEnd : trace.last;
    if (axis.to > padded) this.outside(padded, axis.to, tokens, "");
    if (padded > trace.last) {
      for (const name of trace.last >= duration - 0.01 ? Object.keys(plan.lanes) : tokens) this.padding(name, padded);
    }
  }

  outside(start, end, names, text) {
    const { axis, plan, palette, context } = this;
    const left = Math.max(axis.left, axis.x(start));
    const right = Math.min(this.right, axis.x(end));
    if (right - left < 0.5) return;
    for (const name of names) {
      this.hatched(left, right, plan.lanes[name], palette.paper, palette.line, -1);
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

  padding(name, end) {
    const { axis, plan, palette, context, trace } = this;
    const lane = plan.lanes[name];
    const left = Math.max(axis.left, axis.x(trace.last));
    const right = Math.min(this.right, axis.x(end));
    context.fillStyle = palette.paper;
    context.fillRect(left, lane.top, right - left, lane.height);
    context.fillStyle = palette.quiet;
    for (let x = left + 3; x < right - 1; x += 5) {
      for (let y = lane.top + 4; y < lane.bottom - 1; y += 5) context.fillRect(x, y, 1, 1);
    }
  }

  titles(threshold) {
    const { context, plan, palette, trace, axis } = this;
    const { lanes, narrow } = plan;
    const title = (lane, long, short) => {
      context.font = `600 12px ${FONT}`;
      context.fillStyle = palette.ink;
      context.textAlign = "left";
      context.fillText(narrow ? short : long, axis.left, lane.top - 7);
    };
    context.textBaseline = "alphabetic";
    title(lanes.sound, "Mel spectrogram, Hz", "Mel, Hz");
    title(lanes.routing, "Routing: weight of each expert", "Routing");
    title(lanes.entropy, "Router entropy, bits", "Entropy, bits");
    title(lanes.significance, "Significance of each token", "Significance");
    if (this.word) {
      const { text: whole } = this.word.word;
      const text = `“${whole.length > LONGEST_WORD ? `${whole.slice(0, LONGEST_WORD)}…` : whole}”`;
      title(lanes.leaning, `${text} leaned on: nats it loses without the token`, `${text} leaned on, nats`);
    }
    if (this.against) {
      title(lanes.otherRouting, "Routing of the other answer", "Routing, other answer");
      title(lanes.moved, "Difference: share of a token's weight that goes to other experts", "Difference in routing");
    }
    this.legend(lanes.sound, [["redundant", null]]);
    this.legend(lanes.routing, trace.experts.map((name, e) => [name, trace.colours[e % trace.colours.length]]));
    context.font = `12px ${FONT}`;
    context.textAlign = "right";
    context.fillStyle = palette.threshold;
    const flagged = `redundant up to ${fixed(threshold, 2)}`;
    context.fillText(flagged, this.right, lanes.significance.top - 7);
    if (this.against && !narrow) {
      context.fillStyle = palette.quiet;
      const left = this.right - context.measureText(flagged).width - 12;
      context.fillText("dotted: the other answer", left, lanes.significance.top - 7);
    }
    this.scales();
  }

  legend(lane, items) {
    const { context, palette, plan } = this;
    const [size, box, space] = plan.narrow ? [11, 9, 8] : [12, 16, 12];
    context.font = `${size}px ${FONT}`;
    context.textAlign = "right";
    let right = this.right;
    for (const [name, colour] of items.toReversed()) {
      const swatch = { top: lane.top - 17, height: 11, bottom: lane.top - 6 };
      context.fillStyle = palette.ink;
      context.fillText(name, right, lane.top - 7);
      const left = right - context.measureText(name).width - box - 6;
      if (colour) {
        context.fillStyle = colour;
        context.fillRect(left, swatch.top, box, swatch.height);
      } else this.hatched(left, left + box, swatch, palette.well, palette.ink, 1);
      right = left - space;
    }
  }

  scales() {
    const { context, plan, palette, trace, axis } = this;
    context.font = `11px ${FONT}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    const mark = (y, text) => {
      context.fillStyle = palette.line;
      context.fillRect(axis.left - 4, y - 0.5, 4, 1);
      context.fillStyle = palette.quiet;
      context.fillText(text, axis.left - 7, y);
    };
    const { sound, leaning, routing, otherRouting, moved, entropy, significance } = plan.lanes;
    for (const hertz of TICKS_HZ) {
      if (plan.narrow && (hertz === 250 || hertz === 7500)) continue;
      mark(yOfHertz(trace.sound.hertz, hertz, sound), hertz >= 1000 ? `${hertz / 1000}k` : `${hertz}`);
    }
    for (const lane of [routing, otherRouting, significance].filter(Boolean)) {
      for (const value of [0, 0.5, 1]) mark(lane.bottom - value * lane.height, `${value}`);
    }
    if (leaning) {
      const { highest } = this.word;
      mark(leaning.top + 2, fixed(highest, highest < 0.1 ? 3 : 2));
      mark(leaning.top + leaning.height / 2, "0");
      mark(leaning.bottom - 2, `−${fixed(highest, highest < 0.1 ? 3 : 2)}`);
    }
    if (moved) [0, 1].forEach((value) => mark(moved.bottom - value * moved.height, `${value}`));
    mark(entropy.bottom, "0");
    mark(entropy.top, fixed(trace.tallestEntropy, 1));
  }

  seconds() {
    const { context, plan, palette, axis } = this;
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
      context.fillText(text, clamp(x, half, this.right + plan.right - half - 14), plan.bottom + 8);
    }
    context.textAlign = "right";
    context.fillText("s", this.right + plan.right, plan.bottom + 8);
  }

  /** What moves: the token under the pointer, the span that was dragged, the playhead. */
  overlay({ token, locked, selection, playhead }) {
    const { context, plan, palette, trace, axis } = this;
    context.clearRect(0, 0, this.right + plan.right, plan.height);
    const top = plan.lanes.wave.top;
    const tall = plan.bottom - top;
    context.save();
    context.beginPath();
    context.rect(axis.left, 0, axis.width, plan.height);
    context.clip();
    if (selection) {
      const [left, right] = selection.map((time) => axis.x(time));
      context.fillStyle = palette.select;
      context.fillRect(left, top, right - left, tall);
      context.fillStyle = palette.accent;
      for (const x of [left, right]) context.fillRect(x - 0.5, top, 1, tall);
    }
    if (token >= 0) {
      const left = axis.x(trace.tokens.start[token]);
      const width = Math.max(axis.x(trace.tokens.end[token]) - left, 2);
      context.strokeStyle = palette.paper;
      context.lineWidth = locked ? 4 : 3;
      context.strokeRect(left, top + 1, width, tall - 2);
      context.strokeStyle = locked ? palette.accent : palette.ink;
      context.lineWidth = locked ? 2 : 1;
      context.strokeRect(left, top + 1, width, tall - 2);
    }
    if (playhead !== null) {
      const x = axis.x(playhead);
      context.fillStyle = palette.paper;
      context.fillRect(x - 2, top, 4, tall);
      context.fillStyle = palette.accent;
      context.fillRect(x - 1, top, 2, tall);
      context.beginPath();
      context.moveTo(x - 6, top - 5);
      context.lineTo(x + 6, top - 5);
      context.lineTo(x, top + 4);
      context.fill();
    }
    context.restore();
  }
}
