// The viewer as a Gradio component: its value is a trace, and perhaps another one to compare it with, as JSON text;
// empty for none. Another answer about the same sound is drawn on the same axis, any other one below.
// Its further properties are JSON too: attribution is that of the answer's words, annotations what the person
// marked and judged, as it is stored, or why it could not be, router the router's state when the model had loaded;
// player names the clip in the page's player. No property's name stands in quotes in any of the viewer's scripts:
// Gradio takes such a name for an event's, and sends the page a Python object's address in the place of the property.

import { MarkEditor } from "./panels/mark_editor.js";
import { VerdictPanel } from "./panels/verdicts.js";
import { offerWords } from "./panels/words.js";
import { PagePlayer } from "./playing/page_player.js";
import { Viewer } from "./viewer.js";

/** @import { Annotations, OtherData, RouterHealth, TraceData, WordAttribution } from "./types.js" */

const SETTLED = 150; // ms without a change until the server gets the selection

const root = /** @type {HTMLElement} */ (element.querySelector(".viewer"));
const below = /** @type {HTMLElement} */ (root.cloneNode(true));
root.after(below);
const second = new Viewer(below);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let reporting = undefined;
const shownKey = () => viewer.current?.trace.key;
/** @returns {boolean} */
const samePlayer = () => Boolean(props.player) && props.player === viewer.current?.trace.source;
const pagePlayer = new PagePlayer("#clip", samePlayer);
const viewer = new Viewer(root, {
  save: (kind) => trigger("export", { kind, dark: document.body.classList.contains("dark") }),
  selected: (selection) => {
    clearTimeout(reporting);
    reporting = setTimeout(() => trigger("selected", selection), SETTLED);
  },
  pagePlayer,
});
pagePlayer.attach(viewer);
let turn = 0; // so that the same answer twice is two answers
/** @param {string} event @param {object} what */
const send = (event, what) => trigger(event, { key: shownKey(), turn: (turn += 1), ...what });
const editor = new MarkEditor(viewer, {
  save: (span) => send("marked", span),
  withdraw: (id) => send("unmarked", { id }),
});
const verdictPanel = new VerdictPanel(viewer, (verdicts) => send("judged", { verdicts }));

/** A property's JSON; null for empty. @param {string | undefined} text */
const parsed = (text) => (text ? JSON.parse(text) : null);

function valueChanged() {
  /** @type {{trace?: TraceData | null, other?: OtherData | null}} */
  const { trace = null, other = null } = parsed(props.value) ?? {};
  if (trace?.key !== shownKey()) {
    viewer.show(trace);
    editor.clear();
    verdictPanel.clear();
    attributionChanged();
    if (trace) send("opened", {});
  } else if (trace) viewer.reportSelection();
  const aligned = other !== null && other.sound === null;
  if (trace) viewer.compare(other, aligned);
  second.show(other?.sound ? { ...other, sound: other.sound } : null);
}

function attributionChanged() {
  /** @type {{key: string, words: WordAttribution[]} | null} */
  const found = parsed(props.attribution);
  if (found && found.key === shownKey()) offerWords(viewer, found.words);
}

function annotationsChanged() {
  /** @type {Annotations | null} */
  const kept = parsed(props.annotations);
  if (!kept || kept.key !== shownKey()) return;
  const { event, problem, labels = [], spans, verdicts, question = "", answer = "" } = kept;
  if (spans) editor.show(spans, labels);
  if (verdicts && event === "opened") verdictPanel.show(verdicts, { question, answer });
  if (event === "judged") verdictPanel.answered(verdicts ?? {}, problem);
  else if (event !== "opened") editor.answered(problem);
}

function routerChanged() {
  /** @type {RouterHealth | null} */
  const router = parsed(props.router);
  for (const each of [viewer, second]) each.setRouter(router);
}

const changed = {
  value: valueChanged,
  annotations: annotationsChanged,
  attribution: attributionChanged,
  router: routerChanged,
};
for (const [property, handler] of Object.entries(changed)) watch(property, handler);
routerChanged();
valueChanged();
