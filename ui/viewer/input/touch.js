// Fingers on the picture: a tap is a click, a drag moves the view, a hold and then a drag selects a span, two fingers
// zoom. What goes up or down is left to the page, which scrolls.

/** @import { Viewer } from "../viewer.js" */

export const DRAG = 5; // pixels from which a press is a drag
const HOLD = 350; // ms that a finger rests before its drag selects

export class Touch {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** The x on the picture of each finger's pointer. @type {Map<number, number>} */
    this.fingers = new Map();
    /** @type {"tap" | "pan" | "select" | "pinch" | null} */
    this.gesture = null;
    this.from = 0; // x where the first finger was put
    this.time = 0; // s of the clip that was there
    /** The fingers of a pinch, with the times that they were put on. @type {[number, number][]} */
    this.pinched = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.holding = undefined;
    // A span or a zoom once begun is not given up for the page's scrolling.
    const { stage } = viewer.elements;
    stage.addEventListener(
      "touchmove",
      (event) => {
        if (this.gesture !== "tap" && this.gesture !== "pan" && event.cancelable) event.preventDefault();
      },
      { passive: false },
    );
    stage.addEventListener("contextmenu", (event) => {
      if (this.fingers.size) event.preventDefault();
    });
  }

  /** @param {number} finger @param {number} x */
  down(finger, x) {
    this.fingers.set(finger, x);
    clearTimeout(this.holding);
    if (this.fingers.size > 1) return this.pinch();
    this.gesture = "tap";
    this.from = x;
    this.time = this.viewer.shown.axis.time(x);
    this.holding = setTimeout(() => this.hold(), HOLD);
  }

  /** @param {number} finger @param {number} x */
  move(finger, x) {
    if (!this.fingers.has(finger)) return;
    this.fingers.set(finger, x);
    if (this.gesture === "tap" && Math.abs(x - this.from) > DRAG) {
      clearTimeout(this.holding);
      this.gesture = "pan";
      if (!this.viewer.shown.axis.zoomed) this.viewer.say("Hold, then drag, to choose a span. Two fingers zoom.");
    }
    if (this.gesture === "pan") this.viewer.pan(this.time - this.viewer.shown.axis.time(x));
    else if (this.gesture === "select") this.viewer.selection.drag(this.from, x);
    else if (this.gesture === "pinch") this.spread();
  }

  /** @param {number} finger @param {number} x @param {number} y */
  up(finger, x, y) {
    if (!this.fingers.delete(finger)) return;
    clearTimeout(this.holding);
    const { viewer, gesture } = this;
    // After a pinch the finger that is left does nothing until it is lifted, or the view would jump.
    this.gesture = null;
    if (gesture === "tap") viewer.selection.click(x, y);
    else if (gesture === "select" && Math.abs(x - this.from) > DRAG) viewer.playback.playChosen();
    else if (gesture === "select") viewer.selection.release();
  }

  /** The page scrolls, or the browser wants the finger for itself. */
  cancel() {
    clearTimeout(this.holding);
    this.fingers.clear();
    this.gesture = null;
  }

  hold() {
    this.gesture = "select";
    this.viewer.selection.drag(this.from, this.from);
    this.viewer.say("Drag to choose a span.");
  }

  pinch() {
    this.gesture = "pinch";
    const { axis } = this.viewer.shown;
    this.pinched = [...this.fingers].slice(0, 2).map(([finger, x]) => [finger, axis.time(x)]);
  }

  /** Both fingers keep the times they were put on. */
  spread() {
    const [[x1, t1], [x2, t2]] = this.pinched.map(([finger, time]) => [this.fingers.get(finger) ?? NaN, time]);
    this.viewer.shown.axis.pin(x1, t1, x2, t2);
    this.viewer.refresh();
  }
}
