// What moves over the picture: the token or word under the pointer, the span that was dragged, the playhead.

/** @import { Interval } from "../types.js" */
/** @import { Surface } from "./surface.js" */
/** @import { WordBox } from "./word_layout.js" */

/** @param {Surface} surface
 *  @param {{token: number, locked: boolean, word: WordBox | null, span: Interval | null,
 *    playhead: number | null}} shown */
export function drawOverlay(surface, { token, locked, word, span, playhead }) {
  const { context, plan, axis } = surface;
  context.clearRect(0, 0, surface.right + plan.right, plan.height);
  const top = plan.lanes.wave.top;
  const tall = plan.bottom - top;
  context.save();
  context.beginPath();
  context.rect(axis.left, 0, axis.width, plan.height);
  context.clip();
  if (span) drawSpan(surface, span, top, tall);
  if (token >= 0) drawToken(surface, token, locked, top, tall);
  if (word) drawWord(surface, word);
  if (playhead !== null) drawPlayhead(surface, playhead, top, tall);
  context.restore();
}

/** @param {Surface} surface @param {Interval} span @param {number} top @param {number} tall */
function drawSpan({ context, palette, axis }, span, top, tall) {
  const [left, right] = span.map((time) => axis.x(time));
  context.fillStyle = palette.select;
  context.fillRect(left, top, right - left, tall);
  context.fillStyle = palette.accent;
  for (const x of [left, right]) context.fillRect(x - 0.5, top, 1, tall);
}

/** @param {Surface} surface @param {number} token @param {boolean} locked @param {number} top @param {number} tall */
function drawToken({ context, palette, axis, trace }, token, locked, top, tall) {
  const [start, end] = trace.interval(token);
  const left = axis.x(start);
  const width = Math.max(axis.x(end) - left, 2);
  context.strokeStyle = palette.paper;
  context.lineWidth = locked ? 4 : 3;
  context.strokeRect(left, top + 1, width, tall - 2);
  context.strokeStyle = locked ? palette.accent : palette.ink;
  context.lineWidth = locked ? 2 : 1;
  context.strokeRect(left, top + 1, width, tall - 2);
}

/** @param {Surface} surface @param {WordBox} word */
function drawWord({ context, palette, plan }, { left, right, top, height }) {
  const { words } = plan.lanes;
  if (!words) return;
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  context.strokeRect(left - 1, words.top + top - 1, right - left + 2, height + 2);
}

/** @param {Surface} surface @param {number} playhead @param {number} top @param {number} tall */
function drawPlayhead({ context, palette, axis }, playhead, top, tall) {
  const x = axis.x(playhead);
  context.fillStyle = palette.paper;
  context.fillRect(x - 2, top, 4, tall);
  context.fillStyle = palette.accent;
  context.fillRect(x - 1, top, 2, tall);
  context.beginPath();
  context.moveTo(x - 6, top - 5);
  context.lineTo(x + 6, top - 5);
  context.lineTo(x, top + 4);
  context.fill();
}
