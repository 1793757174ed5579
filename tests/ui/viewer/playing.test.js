import assert from "node:assert/strict";
import { test } from "node:test";

import { elapsed, timeAfter } from "../../../ui/viewer/playing/player.js";

const SPANS = [[1, 2], [4, 4.5], [6, 8]];
const PLAN = { spans: SPANS, buffer: { duration: 3.5 } };

test("the playhead jumps over what is not played", () => {
  for (const [seconds, time] of [[0, 1], [0.5, 1.5], [1.25, 4.25], [2.5, 7], [3.5, 8], [9, 8]]) {
    assert.equal(timeAfter(SPANS, seconds), time);
  }
});

test("a time of the clip is as far into what is played", () => {
  for (const [time, seconds] of [[0, 0], [1.5, 0.5], [3, 1], [4.25, 1.25], [7, 2.5]]) {
    assert.equal(elapsed(PLAN, time), seconds);
  }
  assert.equal(elapsed(PLAN, 8), 0); // at its end it begins again
});
