// Keyboard and pointer: which gesture is which of the viewer's deeds.

const DRAG = 5; // pixels from which a press is a drag
const WHEEL = 1.0015; // zoom for each pixel of the wheel

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

function takePointer(viewer) {
  const stage = viewer.stage;
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  let press = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !viewer.trace) return;
    const [x] = place(event);
    press = { x, dragged: false };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!viewer.trace) return;
    const [x, y] = place(event);
    if (press && (press.dragged || Math.abs(x - press.x) > DRAG)) {
      press.dragged = true;
      viewer.select(press.x, x);
    } else viewer.hover(x, y);
  });
  stage.addEventListener("pointerup", (event) => {
    if (!press) return;
    const [x] = place(event);
    if (press.dragged) viewer.playSpans(viewer.spans(), viewer.looping);
    else viewer.click(x);
    press = null;
  });
  stage.addEventListener("pointercancel", () => (press = null));
  stage.addEventListener("pointerleave", () => !press && viewer.trace && viewer.leave());
  stage.addEventListener("wheel", (event) => wheel(viewer, event, place(event)[0]), { passive: false });
  viewer.map.addEventListener("pointerdown", (event) => viewer.map.setPointerCapture(event.pointerId));
  for (const type of ["pointerdown", "pointermove"]) {
    viewer.map.addEventListener(type, (event) => event.buttons && centre(viewer, event));
  }
}

function wheel(viewer, event, x) {
  if (!viewer.trace) return;
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  const mine = event.ctrlKey || document.activeElement === viewer.stage;
  if (sideways && viewer.axis.zoomed) {
    viewer.axis.pan(((event.deltaX || event.deltaY) / viewer.axis.width) * viewer.axis.length);
  } else if (mine && (viewer.axis.zoomed || event.deltaY < 0)) {
    viewer.axis.zoom(WHEEL ** -event.deltaY, viewer.axis.time(x));
  } else return;
  event.preventDefault();
  viewer.refresh();
}

function centre(viewer, event) {
  const whole = new TimeAxis(viewer.trace);
  whole.place(viewer.axis.left, viewer.axis.width);
  const time = whole.time(event.clientX - viewer.map.getBoundingClientRect().left);
  viewer.axis.show(time - viewer.axis.length / 2, time + viewer.axis.length / 2);
  viewer.refresh();
}
