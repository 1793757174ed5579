// Draws everything that does not move: the lanes from top to bottom, and the words around them.

import { drawLabels } from "./labels.js";
import { drawSpectrogram, drawWave } from "./sound_lanes.js";
import { drawAttribution, drawCurve, drawRouting, drawSignificance } from "./token_lanes.js";
import { drawUnheard } from "./unheard.js";

/** @import { Comparison } from "../viewer.js" */
/** @import { Lane, ShownAttribution } from "../types.js" */
/** @import { Surface } from "./surface.js" */
/** @import { WordLane } from "./word_lane.js" */

/** `picture` is the spectrogram, `samples` the decoded audio, or null until there is any.
 *  @param {Surface} surface
 *  @param {{picture: HTMLCanvasElement, samples: Float32Array | null, threshold: number,
 *    against: Comparison | null, attribution: ShownAttribution | null, words: WordLane}} shown */
export function drawPicture(surface, { picture, samples, threshold, against, attribution, words }) {
  const { context, plan, palette, trace } = surface;
  const { lanes } = plan;
  context.fillStyle = palette.paper;
  context.fillRect(0, 0, surface.right + plan.right, plan.height);
  for (const lane of Object.values(lanes)) {
    context.fillStyle = palette.well;
    context.fillRect(surface.axis.left, lane.top, surface.axis.width, lane.height);
  }
  /** @param {Lane | undefined} lane @param {(lane: Lane) => void} draw */
  const inside = (lane, draw) => lane && surface.inside(lane, () => draw(lane));
  inside(lanes.wave, (lane) => drawWave(surface, lane, samples));
  inside(lanes.words, (lane) => words.draw(surface, lane));
  inside(lanes.sound, (lane) => drawSpectrogram(surface, lane, picture, threshold));
  inside(lanes.routing, (lane) => drawRouting(surface, lane, trace));
  inside(lanes.entropy, (lane) => drawCurve(surface, lane, trace.tokens.entropy, trace.tallestEntropy));
  inside(lanes.significance, (lane) => drawSignificance(surface, lane, threshold, against?.trace ?? null));
  if (attribution) inside(lanes.attribution, (lane) => drawAttribution(surface, lane, attribution));
  if (against) {
    inside(lanes.otherRouting, (lane) => drawRouting(surface, lane, against.trace));
    inside(lanes.moved, (lane) => drawCurve(surface, lane, against.moved, 1));
  }
  drawUnheard(surface);
  drawLabels(surface, { threshold, attribution, words });
}
