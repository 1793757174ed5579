// The lanes of the sound: its wave, and the spectrogram with the tokens hatched that are redundant or were not read.

import { extent, extentOfPeaks } from "./lanes.js";

/** @import { Lane } from "../types.js" */
/** @import { Surface } from "./surface.js" */

const SAMPLE_RATE = 16000; // Hz
const FULL_SCALE = 127; // of the peaks, which are sent as bytes

/** `samples` is the decoded audio, or null until there is any: then the peaks that were sent are drawn.
 *  @param {Surface} surface @param {Lane} lane @param {Float32Array | null} samples */
export function drawWave({ context, axis, trace, palette, right }, lane, samples) {
  const middle = lane.top + lane.height / 2;
  const half = lane.height / 2 - 1;
  const [full, rate] = samples ? [1, SAMPLE_RATE] : [FULL_SCALE, trace.sound.rate];
  const scale = half / (full * (trace.sound.peak || 1));
  const first = Math.max(axis.left, axis.x(trace.first));
  const last = Math.min(right, axis.x(trace.last));
  context.fillStyle = palette.wave;
  for (let x = first; x < last; x += 0.5) {
    const [from, to] = [(axis.time(x) - trace.first) * rate, (axis.time(x + 0.5) - trace.first) * rate];
    const [low, high] = samples ? extent(samples, from, to) : extentOfPeaks(trace.peaks, from, to);
    context.fillRect(x, middle - high * scale - 0.4, 0.5, (high - low) * scale + 0.8);
  }
}

/** Says why there is no spectrogram. @param {Surface} surface @param {Lane} lane */
function drawMissing({ context, axis, palette }, lane) {
  context.save();
  context.fillStyle = palette.quiet;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const middle = axis.left + axis.width / 2;
  context.fillText("The audio was not kept: no spectrogram", middle, lane.top + lane.height / 2, axis.width);
  context.restore();
}

/** @param {Surface} surface @param {Lane} lane @param {HTMLCanvasElement} picture @param {number} threshold */
export function drawSpectrogram(surface, lane, picture, threshold) {
  const { context, axis, trace, palette } = surface;
  const from = Math.max(axis.from, trace.first);
  const to = Math.min(axis.to, trace.last);
  if (to <= from) return;
  if (!trace.audible) return drawMissing(surface, lane);
  const rate = trace.sound.rate;
  const [left, width] = [axis.x(from), axis.x(to) - axis.x(from)];
  // Only where frames share a pixel is the best quality worth its time.
  context.imageSmoothingQuality = (to - from) * rate > width ? "high" : "low";
  context.drawImage(
    picture, (from - trace.first) * rate, 0, (to - from) * rate, picture.height, left, lane.top, width, lane.height,
  );
  for (const [start, end] of trace.hatched(threshold, axis.from, axis.to)) {
    surface.hatched(axis.x(start), axis.x(end), lane, palette.veil, palette.hatch, 1);
  }
}
