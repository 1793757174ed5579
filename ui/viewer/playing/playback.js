// What of the clip is played: all of it or a span, all tokens of that or only the kept or the redundant ones.

import { fixed } from "../numbers.js";

/** @import { Interval } from "../types.js" */
/** @import { Viewer } from "../viewer.js" */

export const NOT_KEPT = "The audio was not kept: nothing to play.";

/** @typedef {"all" | "kept" | "redundant"} Listen */

export class Playback {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** @type {Listen} */
    this.listen = "all";
    const { play, loop } = viewer.elements;
    play.addEventListener("click", () => this.toggle());
    loop.addEventListener("click", () => this.toggleLoop());
    for (const button of this.listenButtons) {
      button.addEventListener("click", () => {
        this.setListen(/** @type {Listen} */ (button.dataset.listen));
        this.update();
      });
    }
  }

  /** @returns {NodeListOf<HTMLElement>} */
  get listenButtons() {
    return this.viewer.root.querySelectorAll("[data-listen]");
  }

  /** Without a sound there is nothing to press. @param {boolean} audible */
  allow(audible) {
    const { play, loop } = this.viewer.elements;
    for (const button of [play, loop, ...this.listenButtons]) button.toggleAttribute("disabled", !audible);
  }

  get looping() {
    return this.viewer.elements.loop.getAttribute("aria-pressed") === "true";
  }

  /** @param {Listen} which */
  setListen(which) {
    this.listen = which;
    for (const button of this.listenButtons) {
      button.setAttribute("aria-pressed", String(button.dataset.listen === which));
    }
  }

  /** Where the viewer or, while it is silent, the page's player plays, in seconds of the clip; or null. */
  playhead() {
    const { player, pagePlayer, shown } = this.viewer;
    const { first, last } = shown.trace;
    const position = player.position();
    if (position !== null) return position + first;
    const outside = pagePlayer?.position() ?? null;
    return outside !== null && outside >= first && outside <= last ? outside : null;
  }

  /** What "Listen to" leaves of the chosen span or, without one, of all that was heard. */
  spans() {
    const { selection, shown, threshold } = this.viewer;
    /** @type {Interval} */
    const [from, to] = selection.span ?? [shown.trace.first, shown.trace.last];
    if (this.listen === "all") return [/** @type {Interval} */ ([from, to])];
    return shown.trace.runs(this.listen === "redundant", threshold, from, to);
  }

  /** Play spans (s of the clip) one after the other, from the time `at` on.
   *  @param {Interval[]} spans @param {boolean} loop @param {number | null} at */
  play(spans, loop, at = null) {
    const { viewer } = this;
    const { first, audible } = viewer.shown.trace;
    if (!audible) return viewer.say(NOT_KEPT);
    const inAudio = spans.map(([start, end]) => /** @type {Interval} */ ([start - first, end - first]));
    if (!viewer.player.play(inAudio, { loop, at: at === null ? null : at - first })) {
      viewer.say(viewer.samples ? `Nothing to play: no token here is ${this.listen}.` : "The audio is not ready yet.");
      return;
    }
    viewer.say("");
    const played = spans.map((span) => span.map((time) => Number(fixed(time, 4))));
    viewer.root.dataset.played = JSON.stringify(played);
    viewer.move();
  }

  playChosen() {
    this.play(this.spans(), this.looping);
  }

  /** @param {number} token */
  playToken(token) {
    this.play([this.viewer.shown.trace.interval(token)], false);
  }

  /** From a time of the clip to the end of what was heard. @param {number} time */
  playFrom(time) {
    this.play([[time, this.viewer.shown.trace.last]], false);
  }

  toggle() {
    const { player } = this.viewer;
    if (player.playing) player.pause();
    else if (player.paused) player.resume();
    else this.playChosen();
    this.viewer.move();
  }

  toggleLoop() {
    this.viewer.elements.loop.setAttribute("aria-pressed", String(!this.looping));
    this.viewer.player.setLoop(this.looping);
  }

  /** What is heard follows the threshold and "Listen to" while it plays. */
  update() {
    const at = this.playhead();
    if (this.viewer.player.playing) this.play(this.spans(), this.looping, at);
    else this.viewer.player.stop();
  }

  /** Playing has started or ended. */
  changed() {
    const { player, pagePlayer, elements, root } = this.viewer;
    if (player.playing) pagePlayer?.pause();
    elements.play.setAttribute("aria-label", player.playing ? "Pause" : "Play");
    elements.play.classList.toggle("on", player.playing);
    root.dataset.playing = String(player.playing);
    this.viewer.move();
  }
}
