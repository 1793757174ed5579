// The viewer as a Gradio component: its value is a trace, and perhaps another one to compare it with, as JSON
// text; empty for none. Another answer about the same sound is drawn on the same axis, any other one below.
// Its property `leaning` tells what the words of the answer leaned on, `player` which clip the page's player has,
// `said` what the person marked and judged, as it is kept, or why it could not be, `router` how alive the router
// was when the model had loaded.

const SETTLED = 150; // ms without a change until the server is told what is touched

const root = element.querySelector(".viewer");
const below = root.cloneNode(true);
root.after(below);
const second = new Viewer(below);
let telling = null;
const page = new PagePlayer("#clip", () => Boolean(props.player) && props.player === viewer.trace?.source);
const viewer = new Viewer(root, {
  save: (kind) => trigger("export", { kind, dark: document.body.classList.contains("dark") }),
  touched: (what) => {
    clearTimeout(telling);
    telling = setTimeout(() => trigger("touched", what), SETTLED);
  },
  page,
});
page.attach(viewer);
let turn = 0; // so that the same answer twice is two answers
const send = (event, what) => trigger(event, { key: viewer.trace.key, turn: (turn += 1), ...what });
const marks = new Marks(viewer, {
  save: (span) => send("marked", span),
  withdraw: (id) => send("unmarked", { id }),
});
const verdicts = new Verdicts(viewer, (given) => send("judged", { verdicts: given }));

function valueChanged() {
  const { trace = null, other = null } = props.value ? JSON.parse(props.value) : {};
  if (trace?.key !== viewer.trace?.key) {
    viewer.show(trace);
    marks.clear();
    verdicts.clear();
    leaningChanged();
    if (trace) send("opened", {});
  } else if (trace) viewer.touched();
  const aligned = other && other.sound === null;
  if (trace) viewer.compare(other, aligned);
  second.show(aligned ? null : other);
}

function leaningChanged() {
  const found = props.leaning ? JSON.parse(props.leaning) : null;
  if (found && found.key === viewer.trace?.key) viewer.lean(found.words);
}

function saidChanged() {
  const said = props.said ? JSON.parse(props.said) : null;
  if (!said || said.key !== viewer.trace?.key) return;
  if (said.spans) marks.show(said.spans, said.labels);
  if (said.verdicts && said.event === "opened") verdicts.show(said.verdicts, said);
  if (said.event === "judged") verdicts.answered(said.verdicts, said.problem);
  else if (said.event !== "opened") marks.answered(said.problem);
}

function routerChanged() {
  const router = props.router ? JSON.parse(props.router) : null;
  for (const each of [viewer, second]) each.setRouter(router);
}

watch("value", valueChanged);
watch("said", saidChanged);
watch("leaning", leaningChanged);
watch("router", routerChanged);
routerChanged();
valueChanged();
