// The pointer over the picture, before it is pressed: which token or word is there, and how loud which frequency.

import { bandAt } from "../drawing/lanes.js";
import { clamp, fixed } from "../numbers.js";

/** @import { Shown, Viewer } from "../viewer.js" */
/** @import { Trace } from "../trace.js" */

/** @param {Viewer} viewer @param {number} x @param {number} y */
export function hover(viewer, x, y) {
  const { selection, player, shown } = viewer;
  const { trace, axis, plan, words } = shown;
  const { sound } = plan.lanes;
  const time = axis.time(clamp(x, axis.left, axis.left + axis.width));
  viewer.cursor = time;
  const word = words.at(plan.lanes.words, x, y);
  const token = word ? word.token : trace.at(time);
  if (token < 0 && selection.locked < 0) viewer.say(unheardAt(trace, time));
  else if (!player.playing) viewer.say("");
  const inside = token >= 0 && y >= sound.top && y < sound.bottom;
  selection.point(token, { x, y, sound: inside ? levelAt(shown, time, y) : null, word });
}

/** @param {Viewer} viewer */
export function leave(viewer) {
  viewer.cursor = null;
  if (viewer.selection.locked < 0) viewer.selection.point(-1);
  viewer.move();
}

/** Frequency and level at a time and a height of the picture.
 *  @param {Pick<Shown, "trace" | "plan">} shown @param {number} time @param {number} y */
export function levelAt({ trace, plan }, time, y) {
  const { hertz, rate, low, high } = trace.sound;
  const band = bandAt(hertz, y, plan.lanes.sound);
  const frame = clamp(Math.floor((time - trace.first) * rate), 0, trace.frames - 1);
  const decibels = low + (trace.mel[band * trace.frames + frame] / 255) * (high - low);
  return `${Math.round(hertz[band])} Hz, ${Math.round(decibels)} dB`;
}

/** Why there is no token at a time. @param {Pick<Trace, "last" | "paddedEnd" | "heard">} trace @param {number} time */
export function unheardAt({ last, paddedEnd, heard }, time) {
  if (time >= last && time < paddedEnd) {
    return `Padding: silence that fills up the model's last window, ${fixed(paddedEnd - last, 2)} s.`;
  }
  return time < heard.duration ? "Not heard: the model was not given this part of the clip." : "";
}
