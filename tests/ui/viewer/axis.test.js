import assert from "node:assert/strict";
import { test } from "node:test";

import { TimeAxis } from "../../../ui/viewer/drawing/axis.js";

const near = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-9, `${found} ≠ ${expected}`);

function axisOf({ first = 0, last = 10, paddedEnd = last, duration = last } = {}) {
  const axis = new TimeAxis({ first, last, paddedEnd, heard: { start: first, end: last, duration } });
  axis.place(44, 500);
  return axis;
}

test("a margin of the unheard clip is shown, but nothing that is not there", () => {
  const part = axisOf({ first: 5, last: 15, duration: 30 });
  near(part.low, 3.8);
  near(part.high, 16.2);
  const whole = axisOf();
  assert.deepEqual([whole.low, whole.high], [0, 10]);
  near(axisOf({ paddedEnd: 12 }).high, 12);
});

test("pixels and times are each other's inverse", () => {
  const axis = axisOf();
  axis.show(2, 7);
  for (const x of [44, 100, 543.5]) near(axis.x(axis.time(x)), x);
  near(axis.x(2), 44);
  near(axis.x(7), 544);
});

test("zooming keeps the time under the pointer and stops at 0.2 s and at the whole clip", () => {
  const axis = axisOf();
  const x = axis.x(4);
  axis.zoom(2, 4);
  near(axis.length, 5);
  near(axis.x(4), x);
  assert.ok(axis.zoomed);
  axis.zoom(1e6);
  near(axis.length, 0.2);
  axis.zoom(1e-6);
  assert.deepEqual([axis.from, axis.to], [0, 10]);
  assert.ok(!axis.zoomed);
});

test("a clip shorter than the shortest view is shown whole", () => {
  const axis = axisOf({ last: 0.1 });
  axis.zoom(8);
  near(axis.length, 0.1);
});

test("moving the view ends at the ends of the clip", () => {
  const axis = axisOf();
  axis.show(2, 4);
  axis.pan(-100);
  assert.deepEqual([axis.from, axis.to], [0, 2]);
  axis.pan(100);
  assert.deepEqual([axis.from, axis.to], [8, 10]);
});

test("two fingers keep the times they were put on", () => {
  const axis = axisOf();
  axis.show(2, 6);
  axis.pin(100, 3, 400, 4);
  near(axis.x(3), 100);
  near(axis.x(4), 400);
});

test("fingers that meet or cross change nothing", () => {
  const axis = axisOf();
  axis.show(2, 6);
  for (const [x1, x2] of [[200, 200], [300, 200], [NaN, 200]]) axis.pin(x1, 3, x2, 4);
  assert.deepEqual([axis.from, axis.to], [2, 6]);
});

test("a token beyond the view is brought into it without another zoom", () => {
  const axis = axisOf();
  axis.show(4, 6);
  axis.reveal(7, 7.1);
  near(axis.length, 2);
  assert.ok(axis.from <= 7 && 7.1 <= axis.to);
  axis.reveal(1, 1.1);
  assert.ok(axis.from <= 1 && 1.1 <= axis.to);
  axis.reveal(axis.from, axis.to); // is there already
  near(axis.length, 2);
});

test("labels are round, in view, at least a gap apart, and none repeats another", () => {
  const axis = axisOf();
  for (const [from, to] of [[0, 10], [1.234, 1.434], [0.07, 9.93], [3, 4.7]]) {
    axis.show(from, to);
    const { times, digits } = axis.ticks(84);
    assert.ok(times.length >= 2);
    const texts = times.map((time) => time.toFixed(digits));
    assert.equal(new Set(texts).size, texts.length);
    times.forEach((time, i) => {
      assert.ok(time >= axis.from - 1e-6 && time <= axis.to + 1e-6);
      near(Number(texts[i]), time);
      if (i) assert.ok(axis.x(time) - axis.x(times[i - 1]) >= 84 - 1e-6);
    });
  }
});
