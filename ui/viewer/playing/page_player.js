// Keeps the page's own audio player and the viewer together while both hold the same clip: whichever plays moves
// the other, and only one is audible. The player is Gradio's; it has no API for its time, but what plays in it is an
// ordinary audio element, with a waveform or, for a large file, without one. Where that cannot be found, both work
// independently.

/** @import { Viewer } from "../viewer.js" */

const LOOK = 400; // ms between two looks for the player's element, which is another one for every clip
const FOLLOW = 100; // ms between two moves of the player, each of which is a seek

export class PagePlayer {
  /** The player within `place`, a selector; `same` tells whether it holds the clip the viewer shows.
   *  @param {string} place @param {() => boolean} same */
  constructor(place, same) {
    this.place = place;
    this.same = same;
    /** @type {HTMLAudioElement | null} */
    this.media = null;
    this.moved = 0; // when it was moved last, on the page's clock
  }

  /** Let a viewer follow the player from now on. @param {Viewer} viewer */
  attach(viewer) {
    const look = () => {
      if (!viewer.root.isConnected) return clearInterval(looking);
      if (this.media?.isConnected) return;
      this.media = this.find();
      this.media?.addEventListener("play", () => {
        if (!this.same()) return;
        viewer.player.stop();
        viewer.move();
      });
    };
    const looking = setInterval(look, LOOK);
    look();
  }

  find() {
    for (const element of document.querySelectorAll(`${this.place} *`)) {
      const media = element.shadowRoot?.querySelector("audio");
      if (media) return media;
    }
    const plain = document.querySelector(`${this.place} audio[src]`);
    return plain instanceof HTMLAudioElement ? plain : null;
  }

  /** Where it plays, in seconds of the clip; null while it is silent or has another clip. */
  position() {
    return this.media?.isConnected && !this.media.paused && this.same() ? this.media.currentTime : null;
  }

  pause() {
    this.media?.pause();
  }

  /** Move it to a time of the clip. @param {number} time */
  follow(time) {
    const now = performance.now();
    if (!this.media?.isConnected || !this.same() || now - this.moved < FOLLOW) return;
    this.moved = now;
    this.media.currentTime = time;
  }
}
