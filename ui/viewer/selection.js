// What is chosen on the picture: the token that is pointed at or locked, and the span that was dragged.

import { clamp, fixed } from "./numbers.js";
import { showTooltip } from "./panels/tooltip.js";

/** @import { Interval } from "./types.js" */
/** @import { Viewer } from "./viewer.js" */
/** @import { SpokenWord } from "./drawing/word_layout.js" */

/** What the pointer is at.
 *  @typedef {{x?: number, y?: number, sound?: string | null, word?: SpokenWord | null}} Place */

export class Selection {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.token = -1; // that is pointed at
    this.locked = -1; // that stays when the pointer leaves it
    /** That is pointed at. @type {SpokenWord | null} */
    this.word = null;
    /** @type {Interval | null} */
    this.span = null;
  }

  /** Nothing is chosen: another trace is shown. */
  clear() {
    this.token = this.locked = -1;
    this.word = this.span = null;
    for (const name of ["token", "locked", "selection"]) delete this.viewer.root.dataset[name];
  }

  /** The locked token or, without one, the token that is pointed at; -1 for neither. */
  get current() {
    return this.locked >= 0 ? this.locked : this.token;
  }

  /** The span that was dragged or, without one, the locked token's; null for neither. */
  get chosen() {
    if (this.span) return this.span;
    return this.locked >= 0 ? this.viewer.shown.trace.interval(this.locked) : null;
  }

  /** Point at a token; a locked one stays until it is released. `x` and `y` are the pointer's, `sound` and `word` what
   *  is there.
   *  @param {number} token @param {Place} [place] */
  point(token, place = {}) {
    if (this.locked >= 0 && token !== this.locked) return;
    const { root } = this.viewer;
    this.token = token;
    this.word = place.word ?? null;
    if (token < 0) delete root.dataset.token;
    else root.dataset.token = String(token);
    this.describe(place);
    this.viewer.move();
  }

  /** The tooltip, and what a screen reader says. @param {Place} [place] */
  describe({ x, y, sound = null, word = null } = {}) {
    const { token, viewer } = this;
    const { stage, tip } = viewer.elements;
    if (token < 0) {
      tip.hidden = true;
      return;
    }
    const { axis, plan, trace } = viewer.shown;
    const [start, end] = trace.interval(token);
    const place = { x: x ?? axis.x((start + end) / 2), y: y ?? plan.lanes.sound.top + 12, sound, word };
    showTooltip(viewer, token, place);
    stage.setAttribute("aria-valuenow", String(token + 1));
    stage.setAttribute("aria-valuetext", trace.words(token, viewer.threshold));
  }

  /** @param {number} token */
  lock(token) {
    this.locked = -1;
    this.point(token);
    this.locked = token;
    this.viewer.root.dataset.locked = String(token);
    this.viewer.reportSelection();
  }

  unlock() {
    this.locked = -1;
    delete this.viewer.root.dataset.locked;
    this.point(-1);
  }

  /** Release the token and the span, and stop the sound. */
  release() {
    this.viewer.player.stop();
    this.dropSpan();
    this.unlock();
    this.viewer.reportSelection();
  }

  /** The next token, or one so many further. @param {number} count */
  step(count) {
    const from = this.current;
    this.goTo(from < 0 ? (count > 0 ? 0 : this.viewer.shown.trace.count - 1) : from + count);
  }

  /** @param {number} token */
  goTo(token) {
    const { trace, axis } = this.viewer.shown;
    token = clamp(token, 0, trace.count - 1);
    axis.reveal(...trace.interval(token));
    this.lock(token);
    this.viewer.refresh();
  }

  /** A click or a tap: lock the token there and play it; on a word, play from there; beside the tokens, release.
   *  @param {number} x @param {number} y */
  click(x, y) {
    const { trace, axis, plan, words } = this.viewer.shown;
    this.dropSpan();
    const word = words.at(plan.lanes.words, x, y);
    if (word) {
      this.lock(word.token);
      this.viewer.playback.playFrom(word.start);
      return;
    }
    const token = trace.at(axis.time(x));
    if (token < 0) return this.release();
    this.lock(token);
    this.viewer.playback.playToken(token);
  }

  /** A drag: choose the span between two places. @param {number} one @param {number} other */
  drag(one, other) {
    const { axis } = this.viewer.shown;
    this.unlock();
    this.setSpan(axis.time(one), axis.time(other));
  }

  /** Let the span begin or end with the token that is pointed at, which stays so. @param {"start" | "end"} edge */
  setEdge(edge) {
    if (this.current < 0) return this.viewer.say("Choose a token with the arrow keys first.");
    const [start, end] = this.viewer.shown.trace.interval(this.current);
    const [from, to] = this.span ?? [start, end];
    if (edge === "start") this.setSpan(start, Math.max(to, end));
    else this.setSpan(Math.min(from, start), end);
  }

  /** Choose the span between two times, within what was heard. @param {number} one @param {number} other */
  setSpan(one, other) {
    const { first, last } = this.viewer.shown.trace;
    const [start, end] = [one, other].map((time) => clamp(time, first, last)).sort((a, b) => a - b);
    this.span = [start, end];
    this.viewer.root.dataset.selection = this.span.map((time) => fixed(time, 3)).join(",");
    this.viewer.player.stop();
    this.viewer.reportSelection();
    this.viewer.say(`Span ${this.span.map((time) => fixed(time, 2)).join("–")} s`);
    this.viewer.move();
  }

  dropSpan() {
    this.span = null;
    delete this.viewer.root.dataset.selection;
  }
}
