// The viewer as a Gradio component: its value is a trace, and perhaps another one to compare it with, as JSON
// text; empty for none. Another answer about the same sound is drawn on the same axis, any other one below.

const root = element.querySelector(".viewer");
const below = root.cloneNode(true);
root.after(below);
const second = new Viewer(below);
const viewer = new Viewer(root, (kind) =>
  trigger("export", { kind, dark: document.body.classList.contains("dark") }),
);

function valueChanged() {
  const { trace = null, other = null } = props.value ? JSON.parse(props.value) : {};
  if (trace?.key !== viewer.trace?.key) viewer.show(trace);
  const aligned = other && other.sound === null;
  if (trace) viewer.compare(other, aligned);
  second.show(aligned ? null : other);
}

watch("value", valueChanged);
valueChanged();
