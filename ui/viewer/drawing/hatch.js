// Hatching as a pattern: one small tile for each colour and direction, far cheaper than its lines.

const HATCH = 7; // pixels between two lines

class Hatches {
  constructor() {
    this.made = new Map();
  }

  /** The pattern for a context. Its tile has the device's pixels, its size those of CSS. */
  of(context, colour, direction) {
    const ratio = window.devicePixelRatio || 1;
    const name = `${colour} ${direction} ${ratio}`;
    let pattern = this.made.get(name);
    if (!pattern) {
      const size = Math.round(HATCH * ratio);
      pattern = context.createPattern(this.tile(size, ratio, colour, direction), "repeat");
      pattern.setTransform(new DOMMatrix().scale(HATCH / size));
      this.made.set(name, pattern);
    }
    return pattern;
  }

  /** One line from corner to corner, and its neighbours where they reach into the corners. */
  tile(size, ratio, colour, direction) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = size;
    const context = canvas.getContext("2d");
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
