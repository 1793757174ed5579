// The viewer as a Gradio component: its value is a trace, and perhaps another one to compare it with, as JSON
// text; empty for none. Another answer about the same sound is drawn on the same axis, any other one below.
// Its property `leaning` tells what the words of the answer leaned on, `player` which clip the page's player has,
// `router` how alive the router was when the model had loaded.

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

function valueChanged() {
  const { trace = null, other = null } = props.value ? JSON.parse(props.value) : {};
  if (trace?.key !== viewer.trace?.key) {
    viewer.show(trace);
    leaningChanged();
  } else if (trace) viewer.touched();
  const aligned = other && other.sound === null;
  if (trace) viewer.compare(other, aligned);
  second.show(aligned ? null : other);
}

function leaningChanged() {
  const found = props.leaning ? JSON.parse(props.leaning) : null;
  if (found && found.key === viewer.trace?.key) viewer.lean(found.words);
}

function routerChanged() {
  const router = props.router ? JSON.parse(props.router) : null;
  for (const each of [viewer, second]) each.setRouter(router);
}

watch("value", valueChanged);
watch("leaning", leaningChanged);
watch("router", routerChanged);
routerChanged();
valueChanged();
