import assert from "node:assert/strict";
import { test } from "node:test";

import { ROUND, tokensToJudge } from "../../../ui/viewer/panels/verdicts.js";

const FLAGGED = [1, 3, 5, 7, 9];
const KEPT = [0, 2, 4, 6, 8, 10];
const sorted = (tokens) => [...tokens].sort((a, b) => a - b);
const among = (tokens, others) => tokens.filter((token) => others.includes(token));

test("all flagged tokens come once, with a control for every four begun", () => {
  const tokens = tokensToJudge(FLAGGED, KEPT, {});
  assert.deepEqual(sorted(among(tokens, FLAGGED)), FLAGGED);
  assert.equal(among(tokens, KEPT).length, 2);
  assert.equal(new Set(tokens).size, tokens.length);
});

test("what is judged does not come again before all is", () => {
  const judged = { 1: "mattered", 3: "did_not", 0: "unclear" };
  const tokens = tokensToJudge(FLAGGED, KEPT, judged);
  assert.deepEqual(sorted(among(tokens, FLAGGED)), [5, 7, 9]);
  assert.ok(!tokens.includes(0));
  const all = Object.fromEntries(FLAGGED.map((token) => [token, "mattered"]));
  assert.deepEqual(sorted(among(tokensToJudge(FLAGGED, KEPT, all), FLAGGED)), FLAGGED);
});

test("of many flagged tokens a round has some, with their controls", () => {
  const flagged = [...Array(129).keys()];
  const kept = flagged.map((token) => token + 1000);
  const tokens = tokensToJudge(flagged, kept, {});
  assert.equal(tokens.length, ROUND);
  assert.equal(among(tokens, kept).length, ROUND / 5);
  const judged = Object.fromEntries(tokens.map((token) => [token, "unclear"]));
  assert.equal(among(tokensToJudge(flagged, kept, judged), tokens).length, 0);
});
