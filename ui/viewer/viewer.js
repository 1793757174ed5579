// The viewer: one element, one trace at a time. Joins the picture, the player and the panels. What a test or a program
// wants to know stands in data attributes of the element.

import { TimeAxis } from "./drawing/axis.js";
import { contextOf, paletteOf, spectrogram } from "./drawing/colours.js";
import { Hatches } from "./drawing/hatch.js";
import { layout } from "./drawing/lanes.js";
import { MINIMAP_HEIGHT, drawMinimap } from "./drawing/minimap.js";
import { drawOverlay } from "./drawing/overlay.js";
import { drawPicture } from "./drawing/painter.js";
import { Surface } from "./drawing/surface.js";
import { WordLane } from "./drawing/word_lane.js";
import { elementsOf } from "./elements.js";
import { takeKeys } from "./input/keys.js";
import { takePointer } from "./input/pointer.js";
import { fixed } from "./numbers.js";
import { takeControls } from "./panels/controls.js";
import { difference, expertPanel, otherAnswer } from "./panels/experts.js";
import { make } from "./panels/make.js";
import { tokenTable } from "./panels/table.js";
import { showShares, takeThreshold } from "./panels/threshold.js";
import { Playback } from "./playing/playback.js";
import { Player } from "./playing/player.js";
import { Selection } from "./selection.js";
import { Trace, bytesOf } from "./trace.js";

/** @import { PagePlayer } from "./playing/page_player.js" */
/** @import { Layout, OtherData, Palette, RouterHealth, TraceData } from "./types.js" */
/** @import { ShownAttribution, ViewerSelection } from "./types.js" */

/** Another trace of the same sound, and the share of each token's weight that goes to other experts there.
 *  @typedef {{trace: Trace, moved: number[]}} Comparison */

/** The trace on display, and where it lies on the canvas.
 *  @typedef {{trace: Trace, axis: TimeAxis, plan: Layout, palette: Palette, picture: HTMLCanvasElement,
 *    words: WordLane}} Shown */

export class Viewer {
  /** `root` is the template's section. `save` is called for a download, `selected` when another span or token was
   *  chosen, or another threshold. `pagePlayer` is the page's own player to keep together with.
   *  @param {HTMLElement} root
   *  @param {{save?: ((kind: string) => void) | null, selected?: (selection: ViewerSelection) => void,
   *    pagePlayer?: PagePlayer | null}} [options] */
  constructor(root, { save = null, selected = () => {}, pagePlayer = null } = {}) {
    this.root = root;
    this.selected = selected;
    this.pagePlayer = pagePlayer;
    this.elements = elementsOf(root);
    /** @type {Shown | null} */
    this.current = null;
    /** What else lies over the picture, put in its place whenever that is drawn. @type {{place: () => void}[]} */
    this.layers = [];
    /** @type {RouterHealth | null} */
    this.router = null;
    /** The decoded audio, null until there is any. @type {Float32Array | null} */
    this.samples = null;
    /** @type {Comparison | null} */
    this.against = null;
    /** @type {ShownAttribution | null} */
    this.attribution = null;
    this.threshold = 0.5;
    /** The time under the pointer (s of the clip). @type {number | null} */
    this.cursor = null;
    /** @type {number | null} */
    this.frame = null;
    this.stale = false;
    this.hatches = new Hatches();
    this.selection = new Selection(this);
    this.player = new Player(() => this.playback.changed());
    this.playback = new Playback(this);
    takeControls(this, save);
    takeThreshold(this);
    takeKeys(this);
    takePointer(this);
    new ResizeObserver(() => this.resize()).observe(this.elements.stage);
    const recolour = new MutationObserver(() => (root.isConnected ? this.recolour() : recolour.disconnect()));
    recolour.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  /** The trace on display; there is one whenever its picture can be touched. */
  get shown() {
    if (!this.current) throw new Error("no trace is on display");
    return this.current;
  }

  /** Show a trace, or nothing for null. @param {TraceData | null} data */
  show(data) {
    const arrived = performance.now();
    const { root, elements } = this;
    this.player.stop();
    this.selection.clear();
    this.root.hidden = !data;
    for (const name of ["played", "drawn", "audio"]) delete root.dataset[name];
    this.cursor = this.samples = this.against = this.attribution = null;
    if (!data) {
      this.current = null;
      return;
    }
    const trace = new Trace(data);
    const palette = paletteOf(root);
    const words = new WordLane(trace);
    const plan = layout(elements.stage.clientWidth, { words: words.height });
    this.current = { trace, axis: new TimeAxis(trace), plan, palette, picture: spectrogram(trace, palette), words };
    this.threshold = trace.threshold;
    elements.words.hidden = true;
    elements.link.hidden = !trace.link;
    elements.slider.value = String(trace.threshold);
    root.setAttribute("aria-label", trace.summary);
    this.playback.allow(trace.audible);
    elements.stage.setAttribute("aria-valuemax", String(trace.count));
    elements.stage.setAttribute("aria-valuetext", trace.words(0, trace.threshold));
    elements.experts.replaceChildren(...expertPanel(trace, this.router));
    elements.numbers.open = false;
    elements.total.textContent = ` / ${fixed(trace.last, 2)} s`;
    this.say("");
    this.playback.setListen("all");
    showShares(this);
    this.resize();
    this.draw();
    root.dataset.drawn = fixed(performance.now() - arrived, 1);
    if (trace.audible) void this.loadAudio(trace);
  }

  /** @param {Trace} trace */
  async loadAudio(trace) {
    try {
      await this.player.load(bytesOf(trace.sound.opus), trace.sound.samples);
    } catch {
      this.say("This browser cannot play the clip here (Ogg Opus). The picture is complete.");
      return;
    }
    if (this.current?.trace !== trace) return;
    this.samples = this.player.samples;
    this.root.dataset.audio = "ready";
    this.refresh();
  }

  /** Compare with another trace, or with none for null. `aligned`: of the same sound, token by token.
   *  @param {OtherData | null} data @param {boolean} aligned */
  compare(data, aligned) {
    const { trace } = this.shown;
    const { versus } = this.elements;
    const other = data && new Trace({ ...data, sound: data.sound ?? trace.sound });
    const moved = other && aligned ? trace.moved(other) : null;
    this.against = other && moved && { trace: other, moved };
    versus.hidden = !other;
    versus.replaceChildren(
      ...(other ? [otherAnswer(trace, other), make("p", { text: difference(trace, other, moved) })] : []),
    );
    this.root.dataset.compared = aligned ? "same sound" : other ? "other sound" : "";
    this.resize();
  }

  /** The router's state when the model had loaded; null while nobody knows. @param {RouterHealth | null} router */
  setRouter(router) {
    this.router = router;
    if (this.current) this.elements.experts.replaceChildren(...expertPanel(this.current.trace, router));
  }

  /** Draw the lane of a word's attribution, or none for null. @param {ShownAttribution | null} attribution */
  setAttribution(attribution) {
    this.attribution = attribution;
    this.root.dataset.word = attribution?.word.text ?? "";
    this.resize();
  }

  /** @param {number} value */
  setThreshold(value) {
    this.threshold = value;
    showShares(this);
    if (this.elements.numbers.open) this.fillTable();
    if (this.selection.token >= 0) this.selection.describe();
    if (this.playback.listen !== "all") this.playback.update();
    this.refresh();
    this.reportSelection();
  }

  reportSelection() {
    this.selected({ span: this.selection.chosen, threshold: this.threshold });
  }

  fillTable() {
    this.elements.sheet.replaceChildren(tokenTable(this.shown.trace, this.threshold));
  }

  /** @param {string} text */
  say(text) {
    this.elements.note.textContent = text;
  }

  /** @param {string | undefined} way `in`, `out`, or `fit` for the whole clip */
  zoomBy(way) {
    const { trace, axis } = this.shown;
    const { locked } = this.selection;
    if (way === "fit") axis.fit();
    else axis.zoom(way === "in" ? 2 : 0.5, locked >= 0 ? trace.tokens.start[locked] : undefined);
    this.refresh();
  }

  /** @param {number} seconds */
  pan(seconds) {
    this.shown.axis.pan(seconds);
    this.refresh();
  }

  // Drawing

  /** The theme has changed. */
  recolour() {
    if (!this.current) return;
    this.current.palette = paletteOf(this.root);
    this.current.picture = spectrogram(this.current.trace, this.current.palette);
    this.refresh();
  }

  /** The width or the lanes have changed. */
  resize() {
    const { base, over, map, stage } = this.elements;
    const width = stage.clientWidth;
    if (!this.current || !width) return;
    const { against, attribution } = this;
    const plan = layout(width, { against, attribution, words: this.current.words.height });
    this.current.plan = plan;
    this.current.axis.place(plan.left, width - plan.left - plan.right);
    const ratio = window.devicePixelRatio || 1;
    stage.style.height = `${plan.height}px`;
    for (const canvas of [base, over, map]) {
      const height = canvas === map ? MINIMAP_HEIGHT : plan.height;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = `${height}px`;
      contextOf(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.refresh();
  }

  /** Draw everything, or with `move` only what moves, once before the next frame. */
  refresh() {
    const { axis } = this.shown;
    this.stale = true;
    this.root.dataset.view = `${fixed(axis.from, 3)},${fixed(axis.to, 3)}`;
    this.move();
  }

  move() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.current || !this.elements.stage.clientWidth) return;
    const { trace, axis, picture, words } = this.current;
    const { elements, player, selection } = this;
    const surface = { ...this.current, hatches: this.hatches };
    if (this.stale) {
      this.stale = false;
      const { samples, threshold, against, attribution } = this;
      const shown = { picture, samples, threshold, against, attribution, words };
      drawPicture(new Surface(elements.base, surface), shown);
      for (const layer of this.layers) layer.place();
    }
    const playhead = this.playback.playhead();
    const { current: token, span } = selection;
    const word = selection.word && words.boxOf(selection.word);
    drawOverlay(new Surface(elements.over, surface), { token, locked: selection.locked >= 0, word, span, playhead });
    elements.map.hidden = !axis.zoomed;
    if (axis.zoomed) drawMinimap(elements.map, picture, { ...this.current, playhead });
    elements.now.textContent = `${fixed(playhead ?? this.cursor ?? trace.first, 2)} s`;
    if (playhead === null || player.paused) return;
    if (player.playing) this.pagePlayer?.follow(playhead);
    if (playhead > axis.to || playhead < axis.from) {
      axis.show(playhead, playhead + axis.length);
      this.stale = true;
    }
    this.move();
  }
}
