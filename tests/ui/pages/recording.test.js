import assert from "node:assert/strict";
import { test } from "node:test";

import { NO_RATING, RatingDrafts } from "../../../ui/pages/ask/recording/rating_drafts.js";
import { changesTo, segmentAt, tickStep, timeIn } from "../../../ui/pages/ask/recording/segments.js";
import { lastWhere, Transcript } from "../../../ui/pages/ask/recording/transcript.js";

const WORDS = [
  [0.5, 0.9, " Good", 1],
  [1.0, 1.4, " day.", 0],
  [2.0, 2.4, " We", 1],
  [2.5, 2.9, " begin", 0],
];
const filled = () => {
  const transcript = new Transcript();
  transcript.add(0, WORDS);
  return transcript;
};
const SEGMENTS = [
  { start: 0, end: 4, kind: "speech", names: [], language: "English" },
  { start: 4, end: 6, kind: "silence", names: [], language: null },
  { start: 6, end: 9, kind: "music", names: ["piano"], language: null },
];
const as = (segment, changes = {}) => ({
  ...segment,
  names: segment.names.join(", "),
  language: segment.language ?? "",
  ...changes,
});

test("words are grouped in lines, and further ones change the last line alone", () => {
  const transcript = filled();
  assert.deepEqual([0, 1].map((line) => transcript.text(line)), ["Good day.", "We begin"]);
  assert.equal(transcript.add(4, [[3, 3.4, " now.", 0], [5, 5.4, " Well.", 1]]), 1);
  assert.deepEqual([0, 1, 2].map((line) => transcript.text(line)), ["Good day.", "We begin now.", "Well."]);
  assert.deepEqual(transcript.range(1), [2, 5]);
});

test("a transcript that is emptied has no line left", () => {
  const transcript = filled();
  assert.equal(transcript.add(0, []), 0);
  assert.deepEqual([transcript.words, transcript.lines, transcript.at(1)], [[], [], -1]);
});

test("the word at a time is the last that has begun", () => {
  const transcript = filled();
  assert.deepEqual([0, 0.5, 0.95, 2.4, 99].map((time) => transcript.at(time)), [-1, 0, 0, 2, 3]);
  assert.deepEqual([-1, 0, 1, 2, 3].map((word) => transcript.lineOf(word)), [-1, 0, 0, 1, 1]);
});

test("the last where it holds is found in any row", () => {
  for (let count = 0; count < 9; count++) {
    for (let holding = 0; holding <= count; holding++) {
      assert.equal(lastWhere(count, (index) => index < holding), holding - 1);
    }
  }
});

test("the segment at a time is the one that it lies in", () => {
  assert.deepEqual([0, 3.9, 4, 8, 99].map((time) => segmentAt(SEGMENTS, time)), [0, 0, 1, 2, 2]);
  assert.equal(segmentAt([], 3), -1);
});

test("a form that was not touched changes nothing", () => {
  for (const [index, segment] of SEGMENTS.entries()) {
    assert.deepEqual(changesTo(SEGMENTS, index, as(segment)), []);
  }
});

test("another label comes before the borders, which it is known by", () => {
  const wanted = as(SEGMENTS[1], { start: 3, end: 5, kind: "sound", names: "a dog, rain ,", language: "" });
  assert.deepEqual(changesTo(SEGMENTS, 1, wanted), [
    { kind: "relabel", start: 4, label: "sound", names: ["a dog", "rain"], language: null },
    { kind: "move", border: 4, to: 3 },
    { kind: "move", border: 6, to: 5 },
  ]);
});

test("a segment that moves as a whole first grows, so that its borders do not cross", () => {
  const later = changesTo(SEGMENTS, 1, as(SEGMENTS[1], { start: 7, end: 8 }));
  assert.deepEqual(later.map(({ border }) => border), [6, 4]);
  const earlier = changesTo(SEGMENTS, 1, as(SEGMENTS[1], { start: 1, end: 3 }));
  assert.deepEqual(earlier.map(({ border }) => border), [4, 6]);
});

test("a ruler goes by round times", () => {
  assert.deepEqual([0.01, 3, 6, 31, 400, 3601, 90000].map(tickStep), [0.1, 5, 10, 60, 600, 7200, 90000]);
});

test("times are typed in seconds, or with minutes and hours", () => {
  assert.deepEqual(["12.5", "1:02,25", "1:00:01", " 7 "].map((text) => timeIn(text, 4000)), [12.5, 62.25, 3601, 7]);
  assert.deepEqual(["", "x", "-1", "5000", "1:2:3:4"].map((text) => timeIn(text, 4000)), Array(5).fill(null));
});

test("what was typed about an answer outlives a reload, until it is saved", () => {
  const stored = new Map();
  const storage = () => ({
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, text) => stored.set(key, text),
    removeItem: (key) => stored.delete(key),
  });
  const typed = { ...NO_RATING, comment: "No." };
  new RatingDrafts(storage).keep("one", typed);
  new RatingDrafts(storage).keep("two", NO_RATING);
  const later = new RatingDrafts(storage);
  assert.deepEqual([later.of("one"), later.of("two"), later.of("three")], [typed, NO_RATING, undefined]);
  later.saved("one", NO_RATING); // another was saved than stands there now
  assert.deepEqual(new RatingDrafts(storage).of("one"), typed);
  later.saved("one", { ...typed });
  assert.equal(new RatingDrafts(storage).of("one"), undefined);
  later.forget();
  assert.equal(stored.size, 0);
});

test("drafts stay on the page where the browser keeps nothing", () => {
  const drafts = new RatingDrafts(() => {
    throw new Error("denied");
  });
  drafts.keep("one", NO_RATING);
  assert.equal(drafts.of("one"), NO_RATING);
});
