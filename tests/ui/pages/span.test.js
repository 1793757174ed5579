import assert from "node:assert/strict";
import { test } from "node:test";

import { clock, keyStep, outline, Span } from "../../../ui/pages/ask/span/span.js";

const spanOf = (start, length, duration = 100) => {
  const span = new Span({ duration, longest: 30 });
  span.set(start, length);
  return span;
};
const ends = ({ start, end }) => [start, end].map((time) => Math.round(time * 1000) / 1000);

test("a clip begins with the most that is heard of it", () => {
  assert.deepEqual(ends(new Span({ duration: 100, longest: 30 })), [0, 30]);
});

test("the whole moves within the clip and keeps its length", () => {
  const span = spanOf(10, 20);
  span.move(33.333);
  assert.deepEqual(ends(span), [33.3, 53.3]);
  span.move(99);
  assert.deepEqual(ends(span), [80, 100]);
  span.centre(3);
  assert.deepEqual(ends(span), [0, 20]);
});

test("an edge moves alone, up to the shortest span and to the ends of the clip", () => {
  const span = spanOf(10, 20);
  span.moveEnd(15.04);
  assert.deepEqual(ends(span), [10, 15]);
  span.moveEnd(2);
  assert.deepEqual(ends(span), [10, 11]);
  span.moveStart(99);
  assert.deepEqual(ends(span), [10, 11]);
  span.moveStart(-5);
  assert.deepEqual(ends(span), [0, 11]);
});

test("past the longest span the other edge comes along", () => {
  const span = spanOf(10, 30);
  span.moveEnd(55);
  assert.deepEqual(ends(span), [25, 55]);
  span.moveStart(5);
  assert.deepEqual(ends(span), [5, 35]);
});

test("what is typed is put right, and an empty field changes nothing", () => {
  assert.deepEqual(ends(spanOf(-3, 99)), [0, 30]);
  assert.deepEqual(ends(spanOf(95, 20)), [95, 100]);
  assert.deepEqual(ends(spanOf(500, 0)), [99, 100]);
  const span = spanOf(10, 20);
  span.set(null, null);
  assert.deepEqual(ends(span), [10, 30]);
});

test("the end of a clip between two tenths is not lost", () => {
  const span = spanOf(35, 30, 40.04);
  assert.equal(span.length, 5.1);
  assert.ok(35 + span.length >= span.end);
});

test("keys step finely with Shift, to either end with Home and End, and others are left alone", () => {
  const span = spanOf(10, 20);
  const step = (key, shiftKey = false) => keyStep({ key, shiftKey }, span);
  assert.deepEqual([step("ArrowLeft"), step("ArrowUp"), step("ArrowRight", true)], [-1, 1, 0.1]);
  span.move(span.start + step("End"));
  assert.deepEqual(ends(span), [80, 100]);
  span.move(span.start + step("Home"));
  assert.deepEqual(ends(span), [0, 20]);
  assert.equal(step("Tab"), null);
});

test("the outline shows the highest peak of each column, of the part in view", () => {
  const peaks = Uint8Array.from({ length: 100 }, (_, part) => (part === 42 ? 255 : 0));
  const above = (from, to, columns) =>
    outline(peaks, 100, from, to, columns)
      .slice(1)
      .split("L")
      .slice(0, columns)
      .map((point) => Math.abs(Number(point.split(",")[1])));
  assert.deepEqual(above(0, 100, 4), [0, 1, 0, 0]);
  assert.deepEqual(above(40, 44, 4), [0, 0, 1, 0]);
  assert.deepEqual(above(42, 43, 2), [1, 1], "one part may fill many columns");
});

test("times are read in minutes, and hours where there are any", () => {
  assert.deepEqual([0, 59.96, 605.25, 3600].map(clock), ["0:00.0", "1:00.0", "10:05.3", "1:00:00.0"]);
});
