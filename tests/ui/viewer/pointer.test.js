import assert from "node:assert/strict";
import { test } from "node:test";

import { TimeAxis } from "../../../ui/viewer/drawing/axis.js";
import { layout } from "../../../ui/viewer/drawing/lanes.js";
import { wholeAxis } from "../../../ui/viewer/drawing/minimap.js";
import { levelAt, unheardAt } from "../../../ui/viewer/input/hover.js";
import { turnWheel } from "../../../ui/viewer/input/pointer.js";
import { Touch } from "../../../ui/viewer/input/touch.js";
import { Trace } from "../../../ui/viewer/trace.js";
import { traceData } from "./traces.js";

const near = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-9, `${found} ≠ ${expected}`);
const wheel = (changes) => ({ deltaX: 0, deltaY: 0, shiftKey: false, ...changes });

function axisOf(last = 10) {
  const axis = new TimeAxis({ first: 0, last, paddedEnd: last, heard: { start: 0, end: last, duration: last } });
  axis.place(44, 500);
  return axis;
}

test("a wheel over a picture that is not in use scrolls the page", () => {
  const axis = axisOf();
  assert.equal(turnWheel(axis, wheel({ deltaY: -100 }), 200, false), false);
  assert.ok(!axis.zoomed);
});

test("a wheel zooms where the pointer is, and with nothing to zoom out of scrolls the page", () => {
  const axis = axisOf();
  const time = axis.time(200);
  assert.equal(turnWheel(axis, wheel({ deltaY: 100 }), 200, true), false);
  assert.equal(turnWheel(axis, wheel({ deltaY: -500 }), 200, true), true);
  assert.ok(axis.zoomed);
  near(axis.time(200), time);
});

test("a wheel sideways, or with Shift, moves the view by as many pixels", () => {
  for (const event of [wheel({ deltaX: 50 }), wheel({ deltaY: 50, shiftKey: true })]) {
    const axis = axisOf();
    axis.show(2, 4);
    const time = axis.time(144);
    assert.equal(turnWheel(axis, event, 200, false), true);
    near(axis.time(94), time);
  }
});

test("the minimap's axis is as wide and shows the whole clip", () => {
  const trace = new Trace(traceData());
  const axis = new TimeAxis(trace);
  axis.place(44, 500);
  axis.show(1.1, 1.2);
  const whole = wholeAxis(trace, axis);
  assert.deepEqual([whole.from, whole.to], [axis.low, axis.high]);
  near(whole.x(whole.to), 544);
});

test("frequency and level under the pointer are those of the spectrogram's pixel", () => {
  const trace = new Trace(traceData());
  const plan = layout(800);
  const { sound } = plan.lanes;
  assert.equal(levelAt({ trace, plan }, trace.first + 0.025, sound.bottom - 1), "100 Hz, 0 dB");
  assert.equal(levelAt({ trace, plan }, trace.first, sound.bottom - 1), "100 Hz, -80 dB");
  assert.equal(levelAt({ trace, plan }, trace.last + 9, sound.top + 1), "200 Hz, -65 dB");
});

test("a time without a token is told as padding, as not heard, or as nothing", () => {
  const trace = { last: 5, paddedEnd: 6, heard: { start: 0, end: 5, duration: 8 } };
  assert.match(unheardAt(trace, 5.5), /^Padding: .* 1\.00 s\.$/);
  assert.match(unheardAt(trace, 7), /^Not heard/);
  assert.equal(unheardAt(trace, 9), "");
});

/** Fingers on a viewer that writes down what they do. */
function fingers(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const done = [];
  const note = (name) => (...values) => done.push([name, ...values]);
  const axis = axisOf();
  axis.show(2, 7);
  const touch = new Touch({
    elements: { stage: { addEventListener() {} } },
    shown: { axis },
    selection: { click: note("click"), drag: note("drag"), release: note("release") },
    playback: { playChosen: note("play") },
    say() {},
    pan: (seconds) => axis.pan(seconds),
    refresh() {},
  });
  return { touch, axis, done, wait: (ms) => t.mock.timers.tick(ms) };
}

test("a tap is a click", (t) => {
  const { touch, done } = fingers(t);
  touch.down(1, 100);
  touch.move(1, 103);
  touch.up(1, 103, 60);
  assert.deepEqual(done, [["click", 103, 60]]);
});

test("a drag moves the view with the finger", (t) => {
  const { touch, axis, done } = fingers(t);
  const time = axis.time(300);
  touch.down(1, 300);
  touch.move(1, 250);
  near(axis.time(250), time);
  touch.up(1, 250);
  assert.deepEqual(done, []);
});

test("a hold and a drag choose a span and play it, a hold alone lets go", (t) => {
  const { touch, done, wait } = fingers(t);
  touch.down(1, 100);
  wait(350);
  touch.move(1, 180);
  touch.up(1, 180);
  assert.deepEqual(done, [["drag", 100, 100], ["drag", 100, 180], ["play"]]);
  done.length = 0;
  touch.down(1, 100);
  wait(350);
  touch.up(1, 101);
  assert.deepEqual(done, [["drag", 100, 100], ["release"]]);
});

test("two fingers zoom, and the one that stays does nothing", (t) => {
  const { touch, axis, done } = fingers(t);
  const times = [axis.time(200), axis.time(300)];
  touch.down(1, 200);
  touch.down(2, 300);
  touch.move(1, 150);
  touch.move(2, 400);
  near(axis.x(times[0]), 150);
  near(axis.x(times[1]), 400);
  touch.up(1, 150);
  touch.move(2, 100);
  touch.up(2, 100);
  near(axis.x(times[0]), 150);
  assert.deepEqual(done, []);
});
