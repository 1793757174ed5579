// The region on the waveform of a long clip: dragged by pointer, finger or keys, and played before it is asked about.
// Its value is the span, as JSON, as the number fields below it have it. The server sends the clip, its waveform when
// that is asked for, and the sound of the span. No property's name stands in quotes here (see viewer/gradio.js).

import { clamp } from "../../../viewer/numbers.js";
import { TimeAxis } from "../../../viewer/drawing/axis.js";
import { PagePlayer } from "../../../viewer/playing/page_player.js";
import { Player } from "../../../viewer/playing/player.js";
import { clock, keyStep, outline, Span } from "./span.js";

/** @typedef {{key: string, duration: number, longest: number}} LongClip */

const COLUMNS = 400;
const VIEW = 8; // of the longest span: more of a clip is shown above, small

const root = /** @type {HTMLElement} */ (element.querySelector(".region"));
/** @template {Element} [T=HTMLElement] @param {string} selector */
const find = (selector) => /** @type {T} */ (root.querySelector(selector));
const stage = find(".stage");
const overview = find(".overview");
const [whole, startEdge, endEdge] = [find(".whole"), find(".edge.start"), find(".edge.end")];
const playhead = find(".playhead");
const button = /** @type {HTMLButtonElement} */ (find(".hear"));
const problem = find(".problem");
const player = new Player(() => playing());
const pagePlayer = new PagePlayer("#clip", () => true);

/** @type {LongClip | null} */
let clip = null;
let span = new Span({ duration: 1, longest: 1 });
let axis = axisOf(1);
let peaks = new Uint8Array(0);
let turn = 0;
let heardFrom = 0; // seconds of the clip
/** The spans whose sound the player has, and whose it was asked for last. */
let [loaded, wanted] = ["", ""];

/** @param {number} duration */
function axisOf(duration) {
  return new TimeAxis({ first: 0, last: duration, paddedEnd: duration, heard: { start: 0, end: duration, duration } });
}

/** @template T @param {string} text @returns {T | null} */
const parsed = (text) => (text ? JSON.parse(text) : null);
const spanText = () => JSON.stringify({ start: Math.round(span.start * 10) / 10, length: span.length });

/** @param {HTMLElement} part @param {TimeAxis} on @param {number} from @param {number} to */
function put(part, on, from, to) {
  part.style.left = `${((from - on.from) / on.length) * 100}%`;
  part.style.width = `${((to - from) / on.length) * 100}%`;
}

/** @param {HTMLElement} slider @param {number} low @param {number} value @param {number} high @param {string} text */
function describe(slider, low, value, high, text) {
  const values = { "aria-valuemin": low, "aria-valuenow": value, "aria-valuemax": high };
  for (const [name, number] of Object.entries(values)) slider.setAttribute(name, number.toFixed(1));
  slider.setAttribute("aria-valuetext", text);
}

function drawSpan() {
  const { start, end, duration } = span;
  put(whole, axis, start, end);
  startEdge.style.left = whole.style.left;
  endEdge.style.left = `${((end - axis.from) / axis.length) * 100}%`;
  put(find(".part"), axisOf(duration), start, end);
  describe(whole, 0, start, duration - (end - start), `${start.toFixed(1)} to ${end.toFixed(1)} seconds`);
  describe(startEdge, 0, start, end, `${start.toFixed(1)} seconds`);
  describe(endEdge, start, end, duration, `${end.toFixed(1)} seconds`);
  find(".times").textContent = `${clock(start)} – ${clock(end)} of ${clock(duration)}`;
}

/** @param {HTMLElement} place @param {number} from @param {number} to */
function drawWave(place, from, to) {
  place.querySelector("svg")?.setAttribute("viewBox", `0 -1 ${COLUMNS - 1} 2`);
  const drawn = peaks.length ? outline(peaks, span.duration, from, to, COLUMNS) : "";
  place.querySelector("path")?.setAttribute("d", drawn);
}

function drawView() {
  drawWave(stage, axis.from, axis.to);
  put(find(".frame"), axisOf(span.duration), axis.from, axis.to);
  drawSpan();
}

/** Bring the span into view; where it is there already, nothing moves. */
function reveal() {
  axis.reveal(span.start, span.end);
  drawView();
}

function clipChanged() {
  clip = parsed(props.clip);
  if (!clip) return player.stop();
  player.stop();
  span = new Span(clip);
  axis = axisOf(clip.duration);
  axis.show(0, VIEW * clip.longest);
  overview.hidden = !axis.zoomed;
  peaks = new Uint8Array(0);
  loaded = "";
  problem.textContent = "";
  drawWave(overview, 0, span.duration);
  drawView();
  trigger("opened");
}

function waveformChanged() {
  /** @type {{key: string, peaks: string} | null} */
  const drawn = parsed(props.waveform);
  if (!clip || drawn?.key !== clip.key) return;
  peaks = Uint8Array.from(atob(drawn.peaks), (byte) => byte.charCodeAt(0));
  drawWave(overview, 0, span.duration);
  drawView();
}

function valueChanged() {
  /** @type {{start: number | null, length: number | null} | null} */
  const typed = parsed(props.value);
  if (!clip || !typed || props.value === spanText()) return;
  span.set(typed.start, typed.length);
  player.stop();
  reveal();
}

/** A new span is there to stay. */
function chosen() {
  if (props.value === spanText()) return;
  player.stop();
  problem.textContent = "";
  props.value = spanText();
  trigger("chosen");
}

/** Follow a pointer from where it is put down until it is lifted.
 *  @param {HTMLElement} place @param {() => TimeAxis} on what lies there
 *  @param {(target: EventTarget | null, time: number) => (time: number) => void} begin what its next times do
 *  @param {() => void} draw */
function drag(place, on, begin, draw) {
  const track = /** @type {HTMLElement} */ (place.querySelector(".track"));
  /** @type {((time: number) => void) | null} */
  let moved = null;
  let before = [0, 0];
  /** @param {PointerEvent} event */
  const time = (event) => {
    const { left, width } = track.getBoundingClientRect();
    const shown = on();
    shown.place(left, width);
    return clamp(shown.time(event.clientX), shown.from, shown.to);
  };
  place.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || moved) return;
    place.setPointerCapture(event.pointerId);
    before = [span.start, span.end];
    moved = begin(event.target, time(event));
    moved(time(event));
    draw();
  });
  place.addEventListener("pointermove", (event) => {
    moved?.(time(event));
    if (moved) draw();
  });
  place.addEventListener("pointerup", () => {
    if (!moved) return;
    moved = null;
    reveal();
    chosen();
  });
  place.addEventListener("pointercancel", () => {
    if (!moved) return;
    moved = null; // the page scrolls
    [span.start, span.end] = before;
    reveal();
  });
}

drag(
  stage,
  () => axis,
  (target, time) => {
    // An edge is taken beside the time that it stands for, the whole anywhere.
    const from = time - (target === endEdge ? span.end : span.start);
    if (target === startEdge) return (now) => span.moveStart(now - from);
    if (target === endEdge) return (now) => span.moveEnd(now - from);
    return target === whole ? (now) => span.move(now - from) : (now) => span.centre(now);
  },
  drawSpan,
);
drag(
  overview,
  () => axisOf(span.duration),
  () => (now) => span.centre(now),
  reveal,
);

/** @type {[HTMLElement, (step: number) => void][]} */
const sliders = [
  [whole, (step) => span.move(span.start + step)],
  [startEdge, (step) => span.moveStart(span.start + step)],
  [endEdge, (step) => span.moveEnd(span.end + step)],
];
for (const [slider, move] of sliders) {
  slider.addEventListener("keydown", (event) => {
    const step = keyStep(event, span);
    if (step === null) return;
    event.preventDefault();
    move(step);
    reveal();
  });
  for (const end of ["keyup", "blur"]) slider.addEventListener(end, chosen);
}

button.addEventListener("click", () => {
  problem.textContent = "";
  if (player.playing) return player.stop();
  player.wake(); // while the browser knows that a person asked for sound
  if (loaded === spanText()) return play();
  wanted = spanText();
  trigger("hear", { turn: (turn += 1) });
});

async function soundChanged() {
  /** @type {{turn: number, opus?: string, samples?: number, problem?: string} | null} */
  const sound = parsed(props.sound);
  if (!sound || sound.turn !== turn) return;
  if (sound.opus === undefined) return void (problem.textContent = sound.problem ?? "");
  try {
    await player.load(
      Uint8Array.from(atob(sound.opus), (byte) => byte.charCodeAt(0)),
      sound.samples ?? 0,
    );
  } catch {
    problem.textContent = "This browser cannot play the span.";
    return;
  }
  if (sound.turn !== turn) return;
  loaded = wanted;
  if (loaded === spanText()) play();
}

function play() {
  heardFrom = span.start;
  pagePlayer.find()?.pause();
  player.play([[0, span.end - span.start]]);
}

function playing() {
  button.textContent = player.playing ? "Stop" : "Hear the span";
  root.dataset.playing = String(player.playing);
  playhead.hidden = !player.playing;
  moveHead();
}

function moveHead() {
  const at = player.playing ? player.position() : null;
  if (at === null || !root.isConnected) return;
  playhead.style.left = `${((heardFrom + at - axis.from) / axis.length) * 100}%`;
  requestAnimationFrame(moveHead);
}

const changed = { clip: clipChanged, value: valueChanged, waveform: waveformChanged, sound: soundChanged };
for (const [property, handler] of Object.entries(changed)) watch(property, handler);
clipChanged();
valueChanged();
