import assert from "node:assert/strict";
import { test } from "node:test";

import { remarks } from "../../../ui/viewer/panels/experts.js";
import { Trace } from "../../../ui/viewer/trace.js";
import { traceData } from "./traces.js";

const TYPICAL = { speech: [0.9, 0.1], music: [0.2, 0.8] };

function warnings(load, router) {
  const found = remarks(new Trace(traceData({ router })), load);
  return found.filter(([name]) => name === "warning").map(([, text]) => text);
}

test("the nearest kind is told", () => {
  const router = { typical: TYPICAL, load: [0.5, 0.5] };
  const [[, most, imbalance], [, near, apart]] = remarks(new Trace(traceData({ router })), [0.8, 0.2]);
  assert.match(most, /done by one\./);
  assert.match(imbalance, /1\.60 times/);
  assert.match(near, /routed as speech usually is/);
  assert.match(apart, /10 %/);
  for (const [, text] of remarks(new Trace(traceData({ router })), [0.5, 0.5])) assert.doesNotMatch(text, /\d/);
});

test("one expert for all is a warning unless it is usual for the kind", () => {
  assert.deepEqual(warnings([0.99, 0.01], { typical: TYPICAL, load: [0.5, 0.5] }), []);
  const [unusual] = warnings([0.99, 0.01], { typical: { music: [0.2, 0.8] }, load: [0.5, 0.5] });
  assert.match(unusual, /^Unusual/);
  const [unknown] = warnings([0.99, 0.01], null);
  assert.match(unknown, /Without an evaluation/);
});

test("an expert that was dead in the evaluation is a warning, as one that took it all", () => {
  for (const load of [[0.994, 0.006], [0.96, 0.04]]) {
    assert.match(warnings([0.5, 0.5], { typical: TYPICAL, load })[0], /^Collapse/);
  }
  const experts = ["one", "two", "three"];
  const router = { typical: { speech: [0.5, 0.5, 0] }, load: [0.5, 0.495, 0.005] };
  const dead = remarks(new Trace(traceData({ experts, router })), [0.5, 0.5, 0]);
  assert.ok(dead.some(([name, text]) => name === "warning" && text.startsWith("Collapse")));
});
