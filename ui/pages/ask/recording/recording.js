// A whole recording: how far it has been heard, its player with what is being said below, its time line, transcript and
// segments. The server hears it in the background; this asks for what is new while it does, and for the waveform, files
// and changes when they are wanted. No property's name stands in quotes here (see viewer/gradio.js).

import { find, findKind, make, makeButton } from "../../../viewer/panels/make.js";
import { PagePlayer } from "../../../viewer/playing/page_player.js";
import { clock } from "../span/span.js";
import { RecordingQuestion } from "./recording_question.js";
import { SegmentForm } from "./segment_form.js";
import { SegmentList } from "./segment_list.js";
import { segmentAt } from "./segments.js";
import { Timeline } from "./timeline.js";
import { Transcript } from "./transcript.js";
import { TranscriptView } from "./transcript_view.js";

/** @import { KeptAnswer } from "./recording_question.js" */
/** @import { SentWord } from "./transcript.js" */

/** `words` follow those that the page had; `segments` are all of them, [start, end, kind, names, language]; both are
 *  missing where nothing is new. `left` is in seconds. `open`: another recording than before, by the person's wish or
 *  because the page was opened again.
 *  @typedef {{id: string, open: "" | "wanted" | "again", name: string, source: string,
 *  phase: "waiting" | "hearing" | "stopped" | "done",
 *  message: string, left: number | null, seconds: number, heard: number, parts: number, edits: number, since?: number,
 *  words?: SentWord[], segments?: [number, number, string, string[], string | null][], problem?: string,
 *  answers?: KeptAnswer[]}} News */
/** @typedef {{id: string, name: string, seconds: number, heard: number, done: boolean}} Earlier */

const NOTE = "usam-recording"; // of this tab: which recording is open, and whether it was being heard
const EVERY = 1500; // ms between two looks at what is new
const LATE = 8000; // ms after which an answer is not waited for any longer
const SHOWN = 0.3; // seconds after a word's end in which it still is the one that is said

const root = find(element, ".recording");
const opened = find(root, ".opened");
const problem = find(root, ".problem");
const caption = find(root, ".caption");
const [stopButton, goButton] = [find(root, ".stop"), find(root, ".go")];
const audio = findKind(root, "audio", HTMLAudioElement);
const follow = findKind(root, ".follow", HTMLInputElement);
const pagePlayer = new PagePlayer("#clip", () => true);

/** @type {News | null} */
let shown = null;
let segments = /** @type {import("./segments.js").Segment[]} */ ([]);
let chosenSegment = -1;
const transcript = new Transcript();
let wave = ""; // the recording whose waveform is drawn, or on its way
let captioned = -1; // the line below the player
let turn = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let looking = undefined;

const timeline = new Timeline(find(root, ".timeline"), {
  seek,
  choose: chooseSegment,
  move: (border, to) => change([{ kind: "move", border, to }]),
});
const view = new TranscriptView(find(root, ".transcript"), transcript, {
  play: playFrom,
  follows: () => follow.checked,
});
const list = new SegmentList(
  find(root, ".rows"),
  {
    choose: (index) => chooseSegment(index),
    play: (index) => {
      chooseSegment(index);
      playFrom(segments[index].start);
    },
  },
  ({ start, end }) => {
    const first = transcript.at(start - 0.001) + 1;
    const spoken = transcript.words.slice(first, first + 24).filter((word) => (word[0] + word[1]) / 2 < end);
    return spoken
      .map((word) => word[2])
      .join("")
      .trim();
  },
);
const form = new SegmentForm(root, { send: change, now: () => audio.currentTime });

/** @template T @param {string} text @returns {T | null} */
const parsed = (text) => (text ? JSON.parse(text) : null);

/** @param {string | null} text */
function keepNote(text) {
  try {
    if (text) sessionStorage.setItem(NOTE, text);
    else sessionStorage.removeItem(NOTE);
  } catch {
    /* the browser denies it */
  }
}

/** @param {string} event @param {object} [what] */
function send(event, what = {}) {
  turn += 1;
  const known = { parts: shown?.parts ?? 0, words: transcript.words.length, edits: shown?.edits ?? -1 };
  trigger(event, { id: shown?.id ?? "", turn, ...known, ...what });
}

const question = new RecordingQuestion(root, {
  ask: (text) => {
    send("asked", { question: text });
    return turn;
  },
  stop: () => send("halted"),
  play: playFrom,
  save: (of, rating) => send("rated", { of, ...rating }),
  withdraw: (of) => send("withdrawn", { of }),
});

/** @param {object[]} changes */
function change(changes) {
  problem.textContent = "";
  send("edited", { changes });
}

/** Ask what is new, after a while. @param {number} after */
function lookIn(after) {
  clearTimeout(looking);
  looking = setTimeout(() => {
    if (!root.isConnected) return;
    if (document.documentElement.dataset.connection !== "lost") send("looked");
    lookIn(LATE);
  }, after);
}

function newsChanged() {
  /** @type {News | null} */
  const news = parsed(props.news);
  if (!news) return;
  if (news.open && news.id !== shown?.id) begin(news);
  if (news.id !== shown?.id) return; // of one that was closed meanwhile
  problem.textContent = news.problem ?? (news.phase === "stopped" ? news.message : "");
  const changed = news.edits !== shown.edits;
  shown = news;
  if (news.segments) {
    segments = news.segments.map(([start, end, kind, names, language]) => ({ start, end, kind, names, language }));
  }
  if (news.words && news.since === transcript.words.length) view.changed(transcript.add(news.since, news.words));
  keepNote(JSON.stringify({ id: news.id, live: live() }));
  draw();
  if (changed) form.say(news.problem ? "" : news.edits > 0 ? "Saved." : "");
  else if (news.problem) form.say("");
  if (live()) lookIn(EVERY);
  else clearTimeout(looking);
}

const live = () => shown?.phase === "waiting" || shown?.phase === "hearing";

/** Another recording. @param {News} news */
function begin(news) {
  audio.pause();
  shown = { ...news, parts: 0, edits: -1 };
  segments = [];
  transcript.add(0, []);
  view.changed(0);
  chosenSegment = captioned = -1;
  wave = "";
  timeline.setPeaks(new Uint8Array(0));
  caption.textContent = "";
  question.open(news.answers ?? []);
  opened.hidden = false;
  root.hidden = false;
  audio.hidden = !news.source;
  if (news.source) audio.src = `gradio_api/file=${news.source.split("/").map(encodeURIComponent).join("/")}`;
  else audio.removeAttribute("src");
  find(root, ".name").textContent = news.name;
  if (news.open === "wanted") {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    root.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
  }
}

function draw() {
  if (!shown) return;
  const { phase, seconds, heard, left, message, edits } = shown;
  const done = phase === "done";
  root.dataset.phase = phase;
  const [until, whole] = [heard, seconds].map((time) => clock(time).replace(/\.\d$/, ""));
  const length = seconds ? `${until} of ${whole}` : "";
  const rest = left === null ? "" : ` · about ${waiting(left)} left`;
  const kept = edits > 0 ? ` · ${edits} ${edits === 1 ? "change" : "changes"}` : "";
  find(root, ".state").textContent = {
    waiting: `${message || "Waiting"}…`,
    hearing: length ? `Heard ${length}${rest}` : "Listening…",
    stopped: length ? `Stopped at ${length}` : "Stopped",
    done: `${whole}${kept}`,
  }[phase];
  const bar = findKind(root, "progress", HTMLProgressElement);
  bar.hidden = done;
  bar.value = seconds ? heard / seconds : 0;
  stopButton.hidden = !live();
  goButton.hidden = live() || done;
  if (seconds && wave !== shown.id && shown.source) {
    wave = shown.id;
    send("waved");
  }
  if (chosenSegment >= segments.length) chosenSegment = segments.length - 1;
  timeline.show({ seconds, heard, segments });
  timeline.chosen = chosenSegment;
  list.chosen = chosenSegment;
  list.show(segments);
  form.show(segments, chosenSegment, { seconds, edits });
  question.allow(Boolean(shown.source));
  find(root, ".sides").hidden = !segments.length;
  moved();
}

/** How long something takes, in words. @param {number} seconds */
function waiting(seconds) {
  if (seconds < 50) return `${Math.max(5, Math.ceil(seconds / 5) * 5)} s`;
  const minutes = Math.round(seconds / 60) || 1;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} index */
function chooseSegment(index) {
  chosenSegment = index;
  timeline.choose(index);
  list.choose(index);
  if (shown) form.show(segments, index, shown);
  form.say("");
}

/** @param {number} time */
function seek(time) {
  if (audio.src) audio.currentTime = time;
  timeline.moveHead(time, true);
  moved(time);
}

/** @param {number} time */
function playFrom(time) {
  seek(time);
  pagePlayer.find()?.pause();
  if (audio.src) audio.play().catch(() => (problem.textContent = "This browser cannot play the recording."));
}

/** What goes with the playhead. @param {number} time */
function moved(time = audio.currentTime) {
  timeline.moveHead(time, !audio.paused);
  list.light(segmentAt(segments, time));
  const word = transcript.at(time);
  const said = word >= 0 && time <= transcript.words[word][1] + SHOWN;
  view.light(said ? word : -1);
  showCaption(word >= 0 && time <= transcript.words[word][1] + 2 ? transcript.lineOf(word) : -1, word);
}

/** The line that is being said, below the player, its word lit. @param {number} line @param {number} word */
function showCaption(line, word) {
  if (line !== captioned) {
    captioned = line;
    const [first, last] = line < 0 ? [0, 0] : transcript.range(line);
    const words = transcript.words.slice(first, last);
    caption.replaceChildren(
      ...words.flatMap(([, , text], i) => {
        const said = make("span", { "data-at": first + i, text: text.trimStart() });
        return i && /^\s/.test(text) ? [" ", said] : [said];
      }),
    );
  }
  for (const span of caption.querySelectorAll("span")) span.classList.toggle("now", Number(span.dataset.at) === word);
}

function frame() {
  if (audio.paused || !root.isConnected) return;
  moved();
  requestAnimationFrame(frame);
}

function close() {
  audio.pause();
  audio.removeAttribute("src");
  clearTimeout(looking);
  shown = null;
  keepNote(null);
  opened.hidden = true;
  hideIfEmpty();
  send("listed");
}

const hideIfEmpty = () => (root.hidden = opened.hidden && find(root, ".earlier").hidden);

function earlierChanged() {
  /** @type {Earlier[]} */
  const earlier = parsed(props.earlier) ?? [];
  find(root, ".earlier").hidden = !earlier.length;
  find(root, ".earlier ul").replaceChildren(
    ...earlier.map(({ id, name, seconds, heard, done }) =>
      make(
        "li",
        {},
        makeButton({ class: "open-one", text: name }, () => send("chosen", { id, parts: 0, words: 0, edits: -1 })),
        make("span", { text: done ? clock(seconds) : `${clock(heard)} of ${clock(seconds)}` }),
        makeButton({ class: "remove", text: "Delete", "aria-label": `Delete what was heard in ${name}` }, () => {
          if (!confirm(`Delete what was heard in ${name}, your changes, and the answers about it?`)) return;
          if (id === shown?.id) close();
          send("removed", { id });
        }),
      ),
    ),
  );
  hideIfEmpty();
}

function waveformChanged() {
  /** @type {{id: string, peaks: string} | null} */
  const drawn = parsed(props.waveform);
  if (drawn && drawn.id === shown?.id) {
    timeline.setPeaks(Uint8Array.from(atob(drawn.peaks), (byte) => byte.charCodeAt(0)));
  }
}

function fileChanged() {
  /** @type {{turn: number, name: string, text: string, problem?: string} | null} */
  const file = parsed(props.file);
  if (!file || file.turn !== turn) return;
  if (file.problem) return void (problem.textContent = file.problem);
  const link = make("a", { download: file.name });
  link.href = URL.createObjectURL(new Blob([file.text], { type: "text/plain;charset=utf-8" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

audio.addEventListener("play", () => {
  pagePlayer.find()?.pause();
  frame();
});
for (const kind of ["pause", "seeked"]) audio.addEventListener(kind, () => moved());
audio.addEventListener("error", () => {
  if (audio.src) problem.textContent = "The recording cannot be played here; what was heard in it is below.";
});
stopButton.addEventListener("click", () => {
  find(root, ".state").textContent = "Stopping after this part…";
  send("stopped");
});
goButton.addEventListener("click", () => send("resumed"));
find(root, ".close").addEventListener("click", close);
for (const button of root.querySelectorAll("[data-form]")) {
  button.addEventListener("click", () => send("wanted", { form: /** @type {HTMLElement} */ (button).dataset.form }));
}
addEventListener("usam-forget", () => {
  close();
  question.forget();
  find(root, ".earlier").hidden = true;
  hideIfEmpty();
});

const changed = {
  news: newsChanged,
  earlier: earlierChanged,
  waveform: waveformChanged,
  file: fileChanged,
  answer: () => question.show(parsed(props.answer)),
  outcome: () => question.rated(parsed(props.outcome)),
};
for (const [property, handler] of Object.entries(changed)) watch(property, handler);
