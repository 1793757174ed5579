// Where the words that the experts say lie in their lane: rows by expert, and no word over another one.

import { clamp } from "../numbers.js";

/** @import { Trace } from "../trace.js" */

const WORD_RAIL = 5; // pixels above an expert's rows, with a tick for every word
const WORD_ROW = 16; // pixels a row takes
const WORD_GAP = 4; // pixels between two experts
const WORD_SPACE = 3; // pixels between two words of a row
const MOST_ROWS = 3; // an expert may take
const LONGEST_LABEL = 28; // characters

/** A word at its token. `expert` is its place among the trace's experts, -1 for one that is not there.
 *  @typedef {{token: number, start: number, expert: number, name: string, text: string, label: string,
 *    confidence: number}} SpokenWord */

/** The words of one expert, the surest first, and the rows that they share; `top` is that of the rail, from the lane's.
 *  @typedef {{expert: number, name: string, words: SpokenWord[], rows: number, top: number,
 *    height: number}} WordGroup */

/** A word with its pixels: across on the canvas, down from the lane's top.
 *  @typedef {{word: SpokenWord, left: number, right: number, top: number, height: number}} WordBox */

/** The words of a trace by expert. @param {Pick<Trace, "experts" | "tokens">} trace @returns {WordGroup[]} */
export function wordGroups({ experts, tokens }) {
  /** @type {Map<string, SpokenWord[]>} */
  const found = new Map(experts.map((name) => [name, []]));
  tokens.words.forEach((words, token) => {
    for (const { expert: name, text, confidence } of words) {
      const word = {
        token, start: tokens.start[token], expert: experts.indexOf(name), name, text, label: labelOf(text), confidence,
      };
      found.set(name, [...(found.get(name) ?? []), word]);
    }
  });
  let top = WORD_GAP;
  return [...found].filter(([, words]) => words.length).map(([name, words]) => {
    const rows = rowsOf(words);
    const group = {
      expert: experts.indexOf(name), name, rows, top, height: WORD_RAIL + rows * WORD_ROW,
      words: words.toSorted((one, other) => other.confidence - one.confidence || one.token - other.token),
    };
    top += group.height + WORD_GAP;
    return group;
  });
}

/** Pixels that the lane of these words takes; 0 without any. @param {WordGroup[]} groups */
export function heightOfWords(groups) {
  const last = groups[groups.length - 1];
  return last ? last.top + last.height + WORD_GAP : 0;
}

/** As many rows as words begin together, and a second one for neighbours. @param {SpokenWord[]} words */
function rowsOf(words) {
  const together = new Map();
  for (const { token } of words) together.set(token, (together.get(token) ?? 0) + 1);
  return clamp(Math.max(...together.values()), Math.min(2, words.length), MOST_ROWS);
}

/** A text on one line. @param {string} text */
export function labelOf(text) {
  const characters = [...text.replace(/\s+/g, " ").trim()];
  const shown = characters.length > LONGEST_LABEL ? [...characters.slice(0, LONGEST_LABEL - 1), "…"] : characters;
  return shown.join("");
}

/** The words that have room as texts. The surest are placed first, so that these are left when there is too little; the
 *  others keep only their tick. None reaches beyond `end`.
 *  @param {WordGroup[]} groups
 *  @param {{x: (time: number) => number, end: number, widthOf: (label: string) => number}} scale
 *  @returns {WordBox[]} */
export function placeWords(groups, { x, end, widthOf }) {
  /** @type {WordBox[]} */
  const boxes = [];
  for (const { words, rows, top } of groups) {
    /** @type {WordBox[][]} */
    const placed = Array.from({ length: rows }, () => []);
    for (const word of words) {
      const width = widthOf(word.label);
      const left = Math.min(x(word.start), end - width);
      const right = left + width;
      const row = placed.findIndex((others) =>
        others.every((box) => right + WORD_SPACE <= box.left || box.right + WORD_SPACE <= left),
      );
      if (row < 0) continue;
      placed[row].push({ word, left, right, top: top + WORD_RAIL + row * WORD_ROW, height: WORD_ROW - 2 });
    }
    boxes.push(...placed.flat());
  }
  return boxes;
}

/** The tick of every word on its expert's rail. @param {WordGroup[]} groups @param {(time: number) => number} x
 *  @returns {WordBox[]} */
export function wordTicks(groups, x) {
  return groups.flatMap(({ words, top }) =>
    words.map((word) => ({ word, left: x(word.start), right: x(word.start) + 2, top, height: WORD_RAIL - 2 })),
  );
}

/** The word at a place: in its text or, within some pixels, at its tick; null for none.
 *  @param {WordBox[]} boxes @param {WordBox[]} ticks @param {number} x @param {number} y from the lane's top */
export function wordAt(boxes, ticks, x, y) {
  const inside = boxes.find(
    ({ left, right, top, height }) => x >= left && x < right && y >= top && y < top + height,
  );
  if (inside) return inside.word;
  /** @param {WordBox} tick */
  const distance = ({ left, right }) => Math.abs(x - (left + right) / 2);
  const near = ticks.filter((tick) => y >= tick.top - 2 && y < tick.top + WORD_RAIL && distance(tick) < 5);
  return near.toSorted((one, other) => distance(one) - distance(other))[0]?.word ?? null;
}
