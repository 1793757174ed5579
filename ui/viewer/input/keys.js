// The keyboard: everything the viewer can do, and the list of it.

const KEYS = [
  ["← →", "previous or next token; with Shift ten tokens"],
  ["Home End", "first or last token"],
  ["Enter", "play the token"],
  ["Space", "play or pause"],
  ["I O", "let the span begin, or end, with the token"],
  ["+ − 0", "zoom in, out, whole clip"],
  ["Page ↑ ↓", "move the view"],
  ["L", "loop"],
  ["Esc", "stop; let go of the token and the span"],
  ["?", "this list"],
  ["click, tap", "lock a token and play it"],
  ["drag", "play a span; What if can drop it"],
  ["wheel", "zoom, once the picture is clicked or with Ctrl; with Shift move"],
  ["finger", "drag to move the view; hold, then drag, for a span; pinch to zoom"],
];

function keyList() {
  const list = make("dl");
  for (const [keys, what] of KEYS) list.append(make("div", {}, make("dt", { text: keys }), make("dd", { text: what })));
  return list;
}

function takeKeys(viewer) {
  viewer.stage.addEventListener("keydown", (event) => keydown(viewer, event));
}

function keydown(viewer, event) {
  if (!viewer.trace || event.ctrlKey || event.metaKey || event.altKey) return;
  const far = event.shiftKey ? 10 : 1;
  const actions = {
    ArrowRight: () => viewer.step(far),
    ArrowUp: () => viewer.step(far),
    ArrowLeft: () => viewer.step(-far),
    ArrowDown: () => viewer.step(-far),
    Home: () => viewer.goTo(0),
    End: () => viewer.goTo(viewer.trace.count - 1),
    Enter: () => viewer.locked >= 0 && viewer.playToken(viewer.locked),
    " ": () => viewer.toggle(),
    i: () => viewer.mark("start"),
    o: () => viewer.mark("end"),
    "+": () => viewer.zoomBy("in"),
    "=": () => viewer.zoomBy("in"),
    "-": () => viewer.zoomBy("out"),
    0: () => viewer.zoomBy("fit"),
    PageUp: () => viewer.pan(-0.5 * viewer.axis.length),
    PageDown: () => viewer.pan(0.5 * viewer.axis.length),
    l: () => viewer.toggleLoop(),
    Escape: () => viewer.release(),
    "?": () => viewer.toggleKeys(),
  };
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}
