// The segments of a recording, and what a person's changes of one are called. Nothing of this touches the page.

import { lastWhere } from "./transcript.js";

/** As the server sends it; times in seconds.
 *  @typedef {{start: number, end: number, kind: string, names: string[], language: string | null}} Segment */
/** What the form holds of a segment. @typedef {{start: number, end: number, kind: string, names: string,
 *  language: string}} SegmentFields */

/** The segment at a time; -1 where there are none. @param {Segment[]} segments @param {number} time */
export function segmentAt(segments, time) {
  return Math.max(
    lastWhere(segments.length, (index) => segments[index].start <= time),
    segments.length ? 0 : -1,
  );
}

/** @param {string} text names between commas */
export const namesIn = (text) =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);

/** What has to be done for a segment to become as the form has it, as the server names it: its label first, by the
 *  time at which it begins, then its borders.
 *  @param {Segment[]} segments @param {number} index @param {SegmentFields} wanted @returns {object[]} */
export function changesTo(segments, index, wanted) {
  const { start, end, kind, names, language } = segments[index];
  const changes = [];
  const label = { names: namesIn(wanted.names), language: wanted.language.trim() || null };
  if (kind !== wanted.kind || names.join() !== label.names.join() || language !== label.language) {
    changes.push({ kind: "relabel", start, label: wanted.kind, ...label });
  }
  const moves = [
    { border: start, to: wanted.start },
    { border: end, to: wanted.end },
  ].filter(({ border, to }) => Math.abs(border - to) >= 0.001);
  // Outwards first: a border never passes another one on the way.
  moves.sort((one, other) => Number(inwards(one, start)) - Number(inwards(other, start)));
  return [...changes, ...moves.map((move) => ({ kind: "move", ...move }))];
}

/** @param {{border: number, to: number}} move @param {number} start of the segment */
const inwards = ({ border, to }, start) => (border === start ? to > border : to < border);

/** The shortest round step of a ruler, in seconds, that is no less than so many. @param {number} least */
export function tickStep(least) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  return steps.find((step) => step >= least) ?? Math.ceil(least / 3600) * 3600;
}

/** Whether a number typed in a field is a time within the recording. @param {string} text @param {number} seconds */
export function timeIn(text, seconds) {
  const parts = text.trim().replace(",", ".").split(":").map(Number);
  const time = parts.reduce((sum, part) => sum * 60 + part, 0);
  return text.trim() && parts.length <= 3 && time >= 0 && time <= seconds + 0.001 ? time : null;
}
