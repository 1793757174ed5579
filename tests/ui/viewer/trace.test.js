import assert from "node:assert/strict";
import { test } from "node:test";

import { Trace, bytesOf } from "../../../ui/viewer/trace.js";
import { traceData } from "./traces.js";

const near = (found, expected) =>
  found.flat().forEach((value, i) => assert.ok(Math.abs(value - expected.flat()[i]) < 1e-9, `${found} ≠ ${expected}`));

test("every time of the heard span is in the token that covers it, any other in none", () => {
  const trace = new Trace(traceData());
  for (let index = 0; index < trace.count; index++) {
    const [start, end] = trace.interval(index);
    assert.equal(trace.at(start), index);
    assert.equal(trace.at((start + end) / 2), index);
    assert.equal(trace.at(end - 1e-9), index);
  }
  assert.equal(trace.at(trace.first - 1e-9), -1);
  assert.equal(trace.at(trace.last), -1);
});

test("a token at the threshold is redundant", () => {
  const trace = new Trace(traceData());
  assert.deepEqual([0, 1, 2, 3].map((index) => trace.redundant(index, 0.5)), [false, true, true, false]);
});

test("neighbours make one run, and runs are cut to what is asked for", () => {
  const trace = new Trace(traceData());
  near(trace.runs(true, 0.5), [[1.08, 1.24]]);
  near(trace.runs(false, 0.5), [[1, 1.08], [1.24, 1.29]]);
  near(trace.runs(true, 0.5, 1.1, 1.2), [[1.1, 1.2]]);
  assert.deepEqual(trace.runs(true, 0.5, 1.24, 1.29), []);
  near(trace.runs(true, 1), [[1, 1.29]]);
  assert.deepEqual(trace.runs(true, 0.1), []);
});

test("where redundant tokens are not read, the ones that were not are hatched", () => {
  const data = traceData({ pruned: true });
  data.tokens.dropped = [true, true, false, false];
  const trace = new Trace(data);
  near(trace.hatched(0.5, 1, 1.29), [[1, 1.16]]);
  assert.deepEqual([0, 1, 2, 3].map((index) => trace.unread(index)), [true, true, false, false]);
  assert.ok(trace.words(0, 0.5).includes("not read"));
  const whole = new Trace({ ...data, pruned: false });
  near(whole.hatched(0.5, 1, 1.29), [[1.08, 1.24]]);
  assert.ok(!whole.words(0, 0.5).includes("not read"));
});

test("a token is told with the words of the experts", () => {
  const words = [[], [{ expert: "one", text: "hello", confidence: 0.93 }], [], []];
  const trace = new Trace(traceData({ words }));
  assert.ok(trace.words(1, 0.5).endsWith("; words of the experts: one: hello, 93 %"));
  assert.ok(!trace.words(0, 0.5).includes("experts"));
});

test("both sides of a threshold add up to what was heard", () => {
  const trace = new Trace(traceData());
  for (const threshold of [0, 0.2, 0.5, 0.7, 1]) {
    const { kept, redundant } = trace.split(threshold);
    assert.equal(kept.tokens + redundant.tokens, trace.count);
    near([kept.seconds + redundant.seconds], [trace.last - trace.first]);
  }
  assert.equal(trace.split(0.5).redundant.tokens, 2);
});

test("the load is the mean routing weight, what has moved the half of all differences", () => {
  const routing = [[1, 0], [0, 1], [0.5, 0.5], [1, 0]];
  const trace = new Trace(traceData({ routing }));
  near(trace.load(), [0.625, 0.375]);
  near(trace.moved(new Trace(traceData({ routing: [[0, 1], [0, 1], [0.75, 0.25], [1, 0]] }))), [1, 0, 0.25, 0]);
});

test("the entropy scale has room even for a single expert", () => {
  assert.equal(new Trace(traceData({ experts: ["one"] })).tallestEntropy, 1);
  assert.equal(new Trace(traceData({ experts: ["a", "b", "c", "d"] })).tallestEntropy, 2);
});

test("a token is told in words, with its word where there is one", () => {
  const trace = new Trace(traceData());
  assert.match(trace.words(0, 0.5), /^Token 1 of 4, 1\.00 to 1\.08 s, kept, .*one 75 %, two 25 %, word dog$/);
  assert.match(trace.words(1, 0.5), /redundant.*two 25 %$/);
});

test("bytes above 127 come through base64, as signed ones where they are", () => {
  assert.deepEqual([...bytesOf(btoa("\x00\x80\xff"))], [0, 128, 255]);
  const sound = { ...traceData().sound, peaks: btoa("\x81\x7f") };
  assert.deepEqual([...new Trace(traceData({ sound })).peaks], [-127, 127]);
});
