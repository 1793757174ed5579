// The lane of the words that the experts say: coloured by expert, fading with low confidence.

import { FONT } from "./surface.js";
import { heightOfWords, placeWords, wordAt, wordGroups, wordTicks } from "./word_layout.js";

/** @import { Trace } from "../trace.js" */
/** @import { Lane } from "../types.js" */
/** @import { Surface } from "./surface.js" */
/** @import { SpokenWord, WordBox } from "./word_layout.js" */

const WORD_FONT = `11px ${FONT}`;
const WORD_PADDING = 5; // pixels on either side of a text, the left one with the edge

export class WordLane {
  /** @param {Trace} trace */
  constructor(trace) {
    this.trace = trace;
    this.groups = wordGroups(trace);
    this.height = heightOfWords(this.groups);
    /** Of texts in pixels. @type {Map<string, number>} */
    this.widths = new Map();
    /** @type {WordBox[]} */
    this.boxes = [];
    /** @type {WordBox[]} */
    this.ticks = [];
  }

  /** @param {number} expert */
  colourOf(expert) {
    return this.trace.colourOf(Math.max(expert, 0));
  }

  /** Place the words for the view, and draw them. @param {Surface} surface @param {Lane} lane */
  draw(surface, lane) {
    const { context, axis, palette } = surface;
    context.font = WORD_FONT;
    context.textAlign = "left";
    context.textBaseline = "middle";
    /** @param {number} time */
    const x = (time) => axis.x(time);
    this.boxes = placeWords(this.groups, { x, end: axis.x(axis.high), widthOf: (label) => this.width(context, label) });
    this.ticks = wordTicks(this.groups, x);
    for (const tick of this.ticks) this.fill(surface, lane, tick, 0.35 + 0.65 * tick.word.confidence);
    for (const box of this.boxes) {
      if (box.right < axis.left || box.left > surface.right) continue;
      const { word } = box;
      this.fill(surface, lane, box, 0.12 + 0.28 * word.confidence);
      this.fill(surface, lane, { ...box, right: box.left + 2 }, 0.35 + 0.65 * word.confidence);
      context.globalAlpha = 0.7 + 0.3 * word.confidence; // still readable at none
      context.fillStyle = palette.ink;
      context.fillText(word.label, box.left + WORD_PADDING, lane.top + box.top + box.height / 2 + 0.5);
    }
    context.globalAlpha = 1;
  }

  /** @param {Surface} surface @param {Lane} lane @param {WordBox} box @param {number} alpha */
  fill({ context }, lane, { word, left, right, top, height }, alpha) {
    context.globalAlpha = alpha;
    context.fillStyle = this.colourOf(word.expert);
    context.fillRect(left, lane.top + top, right - left, height);
  }

  /** @param {CanvasRenderingContext2D} context @param {string} label */
  width(context, label) {
    let width = this.widths.get(label);
    if (width === undefined) {
      width = context.measureText(label).width + 2 * WORD_PADDING;
      this.widths.set(label, width);
    }
    return width;
  }

  /** The word at a place of the canvas, as it was drawn last; null for none.
   *  @param {Lane | undefined} lane @param {number} x @param {number} y */
  at(lane, x, y) {
    return lane && y >= lane.top && y < lane.bottom ? wordAt(this.boxes, this.ticks, x, y - lane.top) : null;
  }

  /** Where a word is drawn: its text or, without room for that, its tick. @param {SpokenWord} word */
  boxOf(word) {
    return [...this.boxes, ...this.ticks].find((box) => box.word === word) ?? null;
  }
}
