// The theme's colours, and the spectrogram as a picture in them.

/** @import { Trace } from "../trace.js" */
/** @import { Palette } from "../types.js" */

/** @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser draws no canvas");
  return context;
}

/** The theme's colours as the style sheet has them. @param {Element} element @returns {Palette} */
export function paletteOf(element) {
  const style = getComputedStyle(element);
  const names = "paper well ink quiet line hatch veil threshold accent wave select sound0 sound1 sound2 sound3";
  const colours = names.split(" ").map((name) => [name, style.getPropertyValue(`--v-${name}`).trim()]);
  return Object.fromEntries(colours);
}

/** The whole spectrogram as a picture, a pixel for each band and frame. Loud is dark by day, bright by night.
 *  @param {Trace} trace @param {Palette} palette */
export function spectrogram(trace, palette) {
  const stops = [palette.sound0, palette.sound1, palette.sound2, palette.sound3].map((hex) =>
    [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)),
  );
  const ramp = new Uint32Array(256);
  for (let level = 0; level < 256; level++) {
    const position = (level / 255) * (stops.length - 1);
    const stop = Math.min(Math.floor(position), stops.length - 2);
    const [red, green, blue] = stops[stop].map((from, c) =>
      Math.round(from + (stops[stop + 1][c] - from) * (position - stop)),
    );
    ramp[level] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
  const bands = trace.sound.hertz.length;
  const canvas = document.createElement("canvas");
  canvas.width = trace.frames;
  canvas.height = bands;
  const context = contextOf(canvas);
  const image = context.createImageData(trace.frames, bands);
  const pixels = new Uint32Array(image.data.buffer);
  for (let band = 0; band < bands; band++) {
    const row = (bands - 1 - band) * trace.frames;
    const levels = band * trace.frames;
    for (let frame = 0; frame < trace.frames; frame++) pixels[row + frame] = ramp[trace.mel[levels + frame]];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
