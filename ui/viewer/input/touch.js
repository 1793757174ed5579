// Fingers on the picture: a tap is a click, a drag moves the view, a hold and then a drag paints a span, two fingers
// zoom. What goes up or down is left to the page, which scrolls.

const HOLD = 350; // ms that a finger rests before its drag paints

class Touch {
  constructor(viewer) {
    this.viewer = viewer;
    this.fingers = new Map(); // pointer to its x on the picture
    this.deed = null; // tap, pan, paint or pinch
    // A span or a zoom once begun is not given up for the page's scrolling.
    const keep = (event) => this.deed !== "tap" && this.deed !== "pan" && event.cancelable && event.preventDefault();
    viewer.stage.addEventListener("touchmove", keep, { passive: false });
    viewer.stage.addEventListener("contextmenu", (event) => this.fingers.size && event.preventDefault());
  }

  down(finger, x) {
    this.fingers.set(finger, x);
    clearTimeout(this.holding);
    if (this.fingers.size > 1) return this.pinch();
    Object.assign(this, { deed: "tap", from: x, time: this.viewer.axis.time(x) });
    this.holding = setTimeout(() => this.hold(), HOLD);
  }

  move(finger, x) {
    if (!this.fingers.has(finger)) return;
    this.fingers.set(finger, x);
    if (this.deed === "tap" && Math.abs(x - this.from) > DRAG) {
      clearTimeout(this.holding);
      this.deed = "pan";
      if (!this.viewer.axis.zoomed) this.viewer.say("Hold, then drag, to choose a span. Two fingers zoom.");
    }
    if (this.deed === "pan") this.viewer.pan(this.time - this.viewer.axis.time(x));
    else if (this.deed === "paint") this.viewer.select(this.from, x);
    else if (this.deed === "pinch") this.spread();
  }

  up(finger, x) {
    if (!this.fingers.delete(finger)) return;
    clearTimeout(this.holding);
    const { viewer, deed } = this;
    // After a pinch the finger that is left does nothing until it is lifted, or the view would jump.
    this.deed = null;
    if (deed === "tap") viewer.click(x);
    else if (deed === "paint" && Math.abs(x - this.from) > DRAG) viewer.playSpans(viewer.spans(), viewer.looping);
    else if (deed === "paint") viewer.release();
  }

  /** The page scrolls, or the browser wants the finger for itself. */
  cancel() {
    clearTimeout(this.holding);
    this.fingers.clear();
    this.deed = null;
  }

  hold() {
    this.deed = "paint";
    this.viewer.select(this.from, this.from);
    this.viewer.say("Drag to choose a span.");
  }

  pinch() {
    this.deed = "pinch";
    this.held = [...this.fingers].slice(0, 2).map(([finger, x]) => [finger, this.viewer.axis.time(x)]);
  }

  /** Both fingers keep the times they were put on. */
  spread() {
    const [[x1, t1], [x2, t2]] = this.held.map(([finger, time]) => [this.fingers.get(finger), time]);
    this.viewer.axis.pin(x1, t1, x2, t2);
    this.viewer.refresh();
  }
}
