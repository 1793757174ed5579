import assert from "node:assert/strict";
import { test } from "node:test";

import { bandAt, extent, extentOfPeaks, layout, yOfHertz } from "../../../ui/viewer/drawing/lanes.js";

const SHOWN = [
  {}, { against: true }, { attribution: true }, { words: 70 }, { against: true, attribution: true, words: 70 },
];

for (const width of [360, 1200]) {
  for (const shown of SHOWN) {
    test(`lanes lie below each other, ${width} px, ${Object.keys(shown).join(" and ") || "alone"}`, () => {
      const { lanes, bottom, height } = layout(width, shown);
      const places = Object.values(lanes);
      places.forEach(({ top, height: tall, bottom: end }, i) => {
        assert.equal(end, top + tall);
        if (i) assert.ok(top >= places[i - 1].bottom);
      });
      assert.equal(places[places.length - 1].bottom, bottom);
      assert.ok(height > bottom);
      assert.equal("moved" in lanes && "otherRouting" in lanes, Boolean(shown.against));
      assert.equal("attribution" in lanes, Boolean(shown.attribution));
      assert.equal(lanes.words?.height ?? 0, shown.words ?? 0);
    });
  }
}

test("the extent of samples is that of every sample in it, of at least two", () => {
  const samples = Float32Array.from([0, 0.5, -0.25, 1]);
  assert.deepEqual(extent(samples, 0, 4), [-0.25, 1]);
  assert.deepEqual(extent(samples, 1.2, 1.4), [-0.25, 0.5]);
  assert.deepEqual(extent(samples, 9, 10), [0, 0]);
  assert.deepEqual(extent(samples, -3, 2), [0, 0.5]);
});

test("the extent of peaks is that of their pairs", () => {
  const peaks = Int8Array.from([-1, 2, -5, 3, 0, 9]);
  assert.deepEqual(extentOfPeaks(peaks, 0, 2), [-5, 3]);
  assert.deepEqual(extentOfPeaks(peaks, 2.1, 2.2), [0, 9]);
  assert.deepEqual(extentOfPeaks(peaks, 3, 4), [0, 0]);
});

test("a band's frequency lies in the middle of its row, and the row is the band's", () => {
  const centres = [100, 200, 400, 800];
  const lane = { top: 10, height: 80, bottom: 90 };
  centres.forEach((hertz, band) => {
    const y = yOfHertz(centres, hertz, lane);
    assert.equal(y, 90 - 20 * (band + 0.5));
    assert.equal(bandAt(centres, y, lane), band);
  });
  assert.ok(yOfHertz(centres, 300, lane) < yOfHertz(centres, 250, lane));
  assert.equal(bandAt(centres, -100, lane), 3);
  assert.equal(bandAt(centres, 500, lane), 0);
});
