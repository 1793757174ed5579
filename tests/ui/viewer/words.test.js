import assert from "node:assert/strict";
import { test } from "node:test";

import {
  heightOfWords, labelOf, placeWords, wordAt, wordGroups, wordTicks,
} from "../../../ui/viewer/drawing/word_layout.js";

/** Tokens of a second, each with words as [expert, text, confidence]. */
function traceOf(words, experts = ["one", "two"]) {
  return {
    experts,
    tokens: {
      start: words.map((_, i) => i),
      words: words.map((list) => list.map(([expert, text, confidence]) => ({ expert, text, confidence }))),
    },
  };
}

/** A scale of so many pixels a second, at which a letter takes 6 pixels. */
const scale = (pixels, seconds) => ({
  x: (time) => 40 + time * pixels, end: 40 + seconds * pixels, widthOf: (label) => 6 * label.length + 10,
});

const overlaps = (one, other) =>
  one.left < other.right && other.left < one.right && one.top < other.top + other.height &&
  other.top < one.top + one.height;

/** Deterministic words of uneven length and confidence. */
const many = (count) =>
  Array.from({ length: count }, (_, i) => [
    ["one", "w".repeat(1 + ((i * 7) % 12)), ((i * 37) % 100) / 100],
    ...(i % 3 ? [] : [["two", "Dog", 0.5], ["two", "Animal", 0.4], ["two", "Pet", 0.3], ["two", "Howl", 0.2]]),
  ]);

for (const pixels of [1, 7, 30, 200]) {
  test(`no word lies over another one, ${pixels} px a second`, () => {
    const groups = wordGroups(traceOf(many(60)));
    const height = heightOfWords(groups);
    const boxes = placeWords(groups, scale(pixels, 60));
    assert.ok(boxes.length);
    boxes.forEach((one, i) => {
      boxes.slice(i + 1).forEach((other) => assert.ok(!overlaps(one, other)));
      assert.ok(one.right <= 40 + 60 * pixels);
      assert.ok(one.top >= 0 && one.top + one.height <= height);
    });
  });
}

test("closer there are more texts, far away the surest; every word keeps its tick", () => {
  const groups = wordGroups(traceOf(many(60)));
  const counts = [1, 7, 30, 200].map((pixels) => placeWords(groups, scale(pixels, 60)).length);
  assert.deepEqual(counts, counts.toSorted((a, b) => a - b));
  assert.ok(counts[0] < counts[3]);
  const far = placeWords(groups, scale(1, 60)).filter(({ word }) => word.name === "one");
  const surest = Math.max(...groups[0].words.map(({ confidence }) => confidence));
  assert.ok(far.some(({ word }) => word.confidence === surest));
  assert.equal(wordTicks(groups, (time) => time).length, 60 + 4 * 20);
});

test("a word lies at its token's time where there is room, and moving the view moves all words alike", () => {
  const groups = wordGroups(traceOf([[["one", "hello", 0.9]], [], [["two", "Dog", 0.5]], []]));
  const { x, end, widthOf } = scale(100, 4);
  const boxes = placeWords(groups, { x, end, widthOf });
  assert.deepEqual(boxes.map(({ word, left }) => [word.label, left]), [["hello", 40], ["Dog", 240]]);
  const moved = placeWords(groups, { x: (time) => x(time) - 90, end: end - 90, widthOf });
  assert.deepEqual(moved.map(({ left }) => left), [-50, 150]);
});

test("each expert with words has rows of its own, as many as words begin together, up to three", () => {
  const groups = wordGroups(traceOf(many(6)));
  assert.deepEqual(groups.map(({ name, rows }) => [name, rows]), [["one", 2], ["two", 3]]);
  assert.ok(groups[1].top >= groups[0].top + groups[0].height);
  assert.deepEqual(wordGroups(traceOf([[["two", "Dog", 0.5]]])).map(({ name, rows }) => [name, rows]), [["two", 1]]);
});

test("a trace without words has no lane, and an expert that is not listed still has its words", () => {
  assert.equal(heightOfWords(wordGroups(traceOf([[], []]))), 0);
  const [group] = wordGroups(traceOf([[["three", "hm", 0.1]]]));
  assert.deepEqual([group.name, group.expert, group.words[0].text], ["three", -1, "hm"]);
});

test("the word under the pointer is that of the text, else of the nearest tick", () => {
  const groups = wordGroups(traceOf([[["one", "hello", 0.9]], [["one", "world", 0.8]]]));
  const options = scale(4, 10);
  const boxes = placeWords(groups, options);
  const ticks = wordTicks(groups, options.x);
  for (const { word, left, top } of boxes) assert.equal(wordAt(boxes, ticks, left + 12, top + 3), word);
  assert.equal(wordAt(boxes, ticks, ticks[0].left, ticks[0].top)?.text, groups[0].words[0].text);
  assert.equal(wordAt(boxes, ticks, ticks[1].left + 2, ticks[1].top)?.text, "world");
  assert.equal(wordAt(boxes, ticks, 300, boxes[0].top), null);
  assert.equal(wordAt(boxes, ticks, 41, -30), null);
});

test("a label is one line, and not longer than fits; whole letters are cut", () => {
  assert.equal(labelOf(" a\n b\t"), "a b");
  assert.equal([...labelOf("😀".repeat(50))].length, 28);
  assert.ok(labelOf("😀".repeat(50)).endsWith("😀…"));
});
