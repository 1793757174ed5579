// The time line of a whole recording: above all of it, small, below what is in view, with waveform and segments. Only
// what is in view is drawn, so that an hour is as smooth as a minute.

import { clamp } from "../../../viewer/numbers.js";
import { TimeAxis } from "../../../viewer/drawing/axis.js";
import { contextOf } from "../../../viewer/drawing/colours.js";
import { find, findKind } from "../../../viewer/panels/make.js";
import { clock } from "../span/span.js";
import { segmentAt, tickStep } from "./segments.js";

/** @import { Segment } from "./segments.js" */

const VIEW = 60; // seconds in view at first
const RULER = 18; // CSS pixels, as all below
const BAND = 30; // of the segments
const NEAR = 6; // from where a border is taken
const LABEL = 34; // of a segment that has its name on it
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 }; // seconds
const TICK = 90; // between two times on the ruler, at least
const NAME = '12px "IBM Plex Sans", system-ui, sans-serif';

export class Timeline {
  /** @param {HTMLElement} root
   *  @param {{seek: (time: number) => void, choose: (index: number) => void,
   *    move: (border: number, to: number) => void}} act */
  constructor(root, act) {
    this.root = root;
    this.act = act;
    this.stage = find(root, ".stage");
    this.overview = find(root, ".overview");
    /** @type {Segment[]} */
    this.segments = [];
    this.peaks = new Uint8Array(0);
    this.seconds = 0;
    this.heard = 0;
    this.chosen = -1;
    this.now = 0;
    /** A border on its way: which it is, and where it is held. @type {{index: number, to: number} | null} */
    this.dragged = null;
    this.axis = axisOf(1);
    this.drawing = 0;
    new ResizeObserver(() => this.draw()).observe(root);
    this.listen();
  }

  /** @param {{seconds: number, heard: number, segments: Segment[]}} recording */
  show({ seconds, heard, segments }) {
    if (seconds !== this.seconds) {
      this.seconds = seconds;
      this.axis = axisOf(Math.max(seconds, 0.001));
      this.axis.show(0, VIEW);
      this.stage.setAttribute("aria-valuemax", seconds.toFixed(1));
    }
    this.heard = heard;
    this.segments = segments;
    this.draw();
  }

  /** @param {Uint8Array<ArrayBuffer>} peaks the highest level in equal parts of the recording */
  setPeaks(peaks) {
    this.peaks = peaks;
    this.draw();
  }

  /** @param {number} index */
  choose(index) {
    this.chosen = index;
    const segment = this.segments[index];
    if (segment) this.axis.reveal(segment.start, Math.min(segment.end, segment.start + this.axis.length / 2));
    this.draw();
  }

  /** Put the playhead at a time, and that into view.
   *  @param {number} time @param {boolean} follow whether the view goes along */
  moveHead(time, follow) {
    this.now = time;
    if (follow && (time < this.axis.from || time > this.axis.to)) {
      this.axis.show(time, time + this.axis.length);
      this.draw();
    }
    this.placeHeads();
  }

  placeHeads() {
    const share = (this.now - this.axis.from) / this.axis.length;
    const head = find(this.stage, ".head-line");
    head.hidden = share < 0 || share > 1;
    head.style.left = `${share * 100}%`;
    find(this.overview, ".head-line").style.left = `${(this.now / Math.max(this.seconds, 0.001)) * 100}%`;
    this.stage.setAttribute("aria-valuenow", this.now.toFixed(1));
    const segment = this.segments[segmentAt(this.segments, this.now)];
    this.stage.setAttribute("aria-valuetext", `${clock(this.now)}${segment ? `, ${segment.kind}` : ""}`);
  }

  draw() {
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => {
      if (!this.seconds || !this.root.clientWidth) return;
      this.paint(this.overview, 0, this.seconds, false);
      this.paint(this.stage, this.axis.from, this.axis.to, true);
      const frame = find(this.overview, ".frame");
      frame.style.left = `${(this.axis.from / this.seconds) * 100}%`;
      frame.style.width = `${(this.axis.length / this.seconds) * 100}%`;
      this.placeHeads();
    });
  }

  /** @param {HTMLElement} place @param {number} from @param {number} to @param {boolean} large */
  paint(place, from, to, large) {
    const canvas = findKind(place, "canvas", HTMLCanvasElement);
    const [width, height] = [place.clientWidth, place.clientHeight];
    const scale = devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = contextOf(canvas);
    context.scale(scale, scale);
    const colour = coloursOf(this.root);
    const x = (/** @type {number} */ time) => ((time - from) / (to - from)) * width;
    const [top, band] = large ? [RULER, BAND] : [0, 8];
    this.wave(context, colour.wave, { from, to, width, top, height: height - top - band });
    context.fillStyle = colour.unheard;
    if (this.heard < to) context.fillRect(x(Math.max(this.heard, from)), top, width, height - top);
    for (let i = Math.max(segmentAt(this.segments, from), 0); i < this.segments.length; i++) {
      const { start, end, kind } = this.placed(i);
      if (start > to) break;
      const [left, right] = [Math.max(x(start), 0), Math.min(x(end), width)];
      context.fillStyle = colour[kind] ?? colour.silence;
      context.fillRect(left, height - band, Math.max(right - left, 0.5), band);
      if (large) this.label(context, i, { left, right, top: height - band, colour });
    }
    if (large) this.ruler(context, colour, x);
  }

  /** A segment where its borders are held. @param {number} index */
  placed(index) {
    const segment = this.segments[index];
    if (this.dragged?.index === index) return { ...segment, start: this.dragged.to };
    return this.dragged?.index === index + 1 ? { ...segment, end: this.dragged.to } : segment;
  }

  /** @param {CanvasRenderingContext2D} context @param {string} colour
   *  @param {{from: number, to: number, width: number, top: number, height: number}} place */
  wave(context, colour, { from, to, width, top, height }) {
    if (!this.peaks.length) return;
    context.fillStyle = colour;
    const parts = this.peaks.length / this.seconds;
    for (let column = 0; column < width; column++) {
      const first = Math.floor((from + ((to - from) * column) / width) * parts);
      const last = Math.max(Math.ceil((from + ((to - from) * (column + 1)) / width) * parts), first + 1);
      let peak = 0;
      for (const level of this.peaks.subarray(first, last)) peak = Math.max(peak, level);
      const tall = Math.max((peak / 255) * (height - 4), 1);
      context.fillRect(column, top + (height - tall) / 2, 1, tall);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} index
   *  @param {{left: number, right: number, top: number, colour: Record<string, string>}} place */
  label(context, index, { left, right, top, colour }) {
    const { kind, names } = this.segments[index];
    if (right - left > 4) {
      context.fillStyle = colour.paper;
      context.fillRect(right - 1, top, 1, BAND);
    }
    if (index === this.chosen) {
      context.strokeStyle = colour.ink;
      context.lineWidth = 2;
      context.strokeRect(left + 1, top + 1, Math.max(right - left - 3, 1), BAND - 2);
    }
    if (right - left < LABEL) return;
    context.save();
    context.beginPath();
    context.rect(left + 6, top, right - left - 12, BAND);
    context.clip();
    context.font = NAME;
    context.textBaseline = "middle";
    context.fillStyle = kind === "silence" ? colour.quiet : colour.on;
    context.fillText(names.length ? names.join(", ") : kind, left + 6, top + BAND / 2 + 1);
    context.restore();
  }

  /** @param {CanvasRenderingContext2D} context @param {Record<string, string>} colour
   *  @param {(time: number) => number} x */
  ruler(context, colour, x) {
    context.font = NAME;
    context.textBaseline = "middle";
    context.fillStyle = colour.quiet;
    const step = tickStep((this.axis.length / this.stage.clientWidth) * TICK);
    for (let n = Math.ceil(this.axis.from / step); n * step <= this.axis.to; n++) {
      const time = n * step;
      context.fillRect(x(time), RULER - 4, 1, 4);
      const text = step < 1 ? clock(time) : clock(time).replace(/\.\d$/, "");
      if (x(time) + context.measureText(text).width + 4 > this.stage.clientWidth) continue;
      context.fillText(text, x(time) + 4, RULER / 2);
    }
  }

  /** The border at a place on the stage; -1 for none. @param {PointerEvent} event */
  borderAt({ clientX, clientY }) {
    const box = this.stage.getBoundingClientRect();
    if (clientY < box.bottom - BAND - 2) return -1;
    this.axis.place(box.left, box.width);
    const index = segmentAt(this.segments, this.axis.time(clientX));
    for (const border of [index, index + 1]) {
      const segment = this.segments[border];
      if (border > 0 && segment && Math.abs(this.axis.x(segment.start) - clientX) <= NEAR) return border;
    }
    return -1;
  }

  /** @param {PointerEvent} event */
  timeAt({ clientX }) {
    const box = this.stage.getBoundingClientRect();
    this.axis.place(box.left, box.width);
    return clamp(this.axis.time(clientX), 0, this.seconds);
  }

  /** @param {number} factor */
  zoom(factor) {
    const inView = this.now >= this.axis.from && this.now <= this.axis.to;
    this.axis.zoom(factor, inView ? this.now : undefined);
    this.draw();
  }

  listen() {
    const { stage, overview } = this;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.seconds) return;
      const border = this.borderAt(event);
      if (border > 0) {
        stage.setPointerCapture(event.pointerId);
        this.dragged = { index: border, to: this.segments[border].start };
        event.preventDefault();
      } else {
        const time = this.timeAt(event);
        this.act.choose(segmentAt(this.segments, time));
        this.act.seek(time);
      }
    });
    stage.addEventListener("pointermove", (event) => {
      if (!this.dragged) {
        stage.style.cursor = event.pointerType === "mouse" && this.borderAt(event) > 0 ? "ew-resize" : "";
        return;
      }
      const [before, after] = [this.segments[this.dragged.index - 1], this.segments[this.dragged.index]];
      this.dragged.to = clamp(this.timeAt(event), before.start + 0.05, after.end - 0.05);
      this.draw();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, () => {
        const held = this.dragged;
        this.dragged = null;
        if (!held) return;
        const border = this.segments[held.index].start;
        if (end === "pointerup" && Math.abs(held.to - border) >= 0.001) this.act.move(border, held.to);
        this.draw();
      });
    }
    stage.addEventListener("keydown", (event) => {
      const step = STEPS[/** @type {keyof typeof STEPS} */ (event.key)];
      if (step) this.act.seek(clamp(this.now + step * (event.shiftKey ? 0.1 : 1), 0, this.seconds));
      else if (event.key === "Home") this.act.seek(0);
      else if (event.key === "End") this.act.seek(this.seconds);
      else if (event.key === "+" || event.key === "=") this.zoom(2);
      else if (event.key === "-") this.zoom(0.5);
      else return;
      event.preventDefault();
    });
    stage.addEventListener(
      "wheel",
      (event) => {
        const along = Math.abs(event.deltaX) > Math.abs(event.deltaY);
        if (!along && !event.ctrlKey && !event.metaKey) return; // the page scrolls
        event.preventDefault();
        if (along) this.axis.pan((event.deltaX / stage.clientWidth) * this.axis.length);
        else {
          const box = stage.getBoundingClientRect();
          this.axis.place(box.left, box.width);
          this.axis.zoom(2 ** (-event.deltaY / 200), this.axis.time(event.clientX));
        }
        this.draw();
      },
      { passive: false },
    );
    const centre = (/** @type {PointerEvent} */ event) => {
      const box = overview.getBoundingClientRect();
      const time = ((event.clientX - box.left) / box.width) * this.seconds;
      this.axis.show(time - this.axis.length / 2, time + this.axis.length / 2);
      this.draw();
    };
    overview.addEventListener("pointerdown", (event) => {
      overview.setPointerCapture(event.pointerId);
      centre(event);
    });
    overview.addEventListener("pointermove", (event) => {
      if (overview.hasPointerCapture(event.pointerId)) centre(event);
    });
    find(this.root, ".in").addEventListener("click", () => this.zoom(2));
    find(this.root, ".out").addEventListener("click", () => this.zoom(0.5));
    find(this.root, ".fit").addEventListener("click", () => {
      this.axis.fit();
      this.draw();
    });
  }
}

/** @param {number} seconds */
const axisOf = (seconds) =>
  new TimeAxis({
    first: 0,
    last: seconds,
    paddedEnd: seconds,
    heard: { start: 0, end: seconds, duration: seconds },
  });

/** @param {HTMLElement} root @returns {Record<string, string>} */
function coloursOf(root) {
  const style = getComputedStyle(root);
  const names = "speech sound music mixed silence on wave unheard paper ink quiet".split(" ");
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--r-${name}`).trim()]));
}
