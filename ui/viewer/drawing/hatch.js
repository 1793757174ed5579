// Hatching as a pattern: one small tile for each colour and direction, far cheaper than its lines.

import { contextOf } from "./colours.js";

const HATCH = 7; // pixels between two lines

export class Hatches {
  constructor() {
    /** @type {Map<string, CanvasPattern>} */
    this.made = new Map();
  }

  /** The pattern for a context. Its tile has the device's pixels, its size those of CSS.
   *  @param {CanvasRenderingContext2D} context @param {string} colour @param {1 | -1} direction */
  of(context, colour, direction) {
    const ratio = window.devicePixelRatio || 1;
    const name = `${colour} ${direction} ${ratio}`;
    let pattern = this.made.get(name) ?? null;
    if (!pattern) {
      const size = Math.round(HATCH * ratio);
      pattern = context.createPattern(this.tile(size, ratio, colour, direction), "repeat");
      if (!pattern) return colour; // a tile without pixels
      pattern.setTransform(new DOMMatrix().scale(HATCH / size));
      this.made.set(name, pattern);
    }
    return pattern;
  }

  /** One line from corner to corner, and its neighbours where they reach into the corners.
   *  @param {number} size @param {number} ratio @param {string} colour @param {1 | -1} direction */
  tile(size, ratio, colour, direction) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = size;
    const context = contextOf(canvas);
    context.strokeStyle = colour;
    context.lineWidth = ratio;
    context.beginPath();
    for (const shift of [-size, 0, size]) {
      const [low, high] = direction > 0 ? [size, 0] : [0, size];
      context.moveTo(shift - size, low + (low - high));
      context.lineTo(shift + 2 * size, high - (low - high));
    }
    context.stroke();
    return canvas;
  }
}
