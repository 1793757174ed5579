// A canvas with what every lane needs to draw on it. Everything is in CSS pixels; the canvas is scaled by the device's
// pixel ratio.

import { contextOf } from "./colours.js";

/** @import { Trace } from "../trace.js" */
/** @import { Lane, Layout, Palette } from "../types.js" */
/** @import { TimeAxis } from "./axis.js" */
/** @import { Hatches } from "./hatch.js" */

export const FONT = '"IBM Plex Sans", system-ui, sans-serif';

export class Surface {
  /** @param {HTMLCanvasElement} canvas
   *  @param {{trace: Trace, axis: TimeAxis, plan: Layout, palette: Palette, hatches: Hatches}} shown */
  constructor(canvas, { trace, axis, plan, palette, hatches }) {
    this.context = contextOf(canvas);
    this.trace = trace;
    this.axis = axis;
    this.plan = plan;
    this.palette = palette;
    this.hatches = hatches;
    this.right = axis.left + axis.width;
  }

  /** Draw within a lane: nothing gets beyond its edges. @param {Lane} lane @param {() => void} draw */
  inside(lane, draw) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(this.axis.left, lane.top, this.axis.width, lane.height);
    context.clip();
    draw();
    context.restore();
  }

  /** Diagonal lines over [left, right], rising or, for -1, falling. They are a pattern that starts at the canvas's
   *  corner, so that neighbouring runs agree.
   *  @param {number} left @param {number} right @param {Lane} lane
   *  @param {string} veil @param {string} colour @param {1 | -1} direction */
  hatched(left, right, lane, veil, colour, direction) {
    const { context } = this;
    context.fillStyle = veil;
    context.fillRect(left, lane.top, right - left, lane.height);
    context.fillStyle = this.hatches.of(context, colour, direction);
    context.fillRect(left, lane.top, right - left, lane.height);
  }

  /** The tokens in view, with the pixels of their own edges.
   *  @returns {Generator<[index: number, left: number, right: number]>} */
  *visible() {
    const { trace, axis } = this;
    for (let index = Math.max(0, trace.at(Math.max(axis.from, trace.first))); index < trace.count; index++) {
      const [start, end] = trace.interval(index);
      if (start > axis.to) return;
      yield [index, axis.x(start), axis.x(end)];
    }
  }
}
