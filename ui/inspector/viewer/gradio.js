// The viewer as a Gradio component: its value is the trace as JSON text, empty for none.

const viewer = new Viewer(element.querySelector(".viewer"), (kind) =>
  trigger("export", { kind, dark: document.body.classList.contains("dark") }),
);

function valueChanged() {
  viewer.show(props.value ? JSON.parse(props.value) : null);
}

watch("value", valueChanged);
valueChanged();
