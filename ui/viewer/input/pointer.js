// Mouse, pen, wheel and minimap: which gesture is which of the viewer's deeds. Fingers are in `touch.js`.

const DRAG = 5; // pixels from which a press is a drag
const WHEEL = 1.0015; // zoom for each pixel of the wheel

function takePointer(viewer) {
  const stage = viewer.stage;
  const touch = new Touch(viewer);
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const finger = (event) => event.pointerType === "touch";
  let press = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !viewer.trace) return;
    const [x] = place(event);
    stage.setPointerCapture(event.pointerId);
    if (finger(event)) touch.down(event.pointerId, x);
    else press = { x, dragged: false };
  });
  stage.addEventListener("pointermove", (event) => {
    if (!viewer.trace) return;
    const [x, y] = place(event);
    if (finger(event)) touch.move(event.pointerId, x);
    else if (press && (press.dragged || Math.abs(x - press.x) > DRAG)) {
      press.dragged = true;
      viewer.select(press.x, x);
    } else viewer.hover(x, y);
  });
  stage.addEventListener("pointerup", (event) => {
    const [x] = place(event);
    if (finger(event)) touch.up(event.pointerId, x);
    if (!press) return;
    if (press.dragged) viewer.playSpans(viewer.spans(), viewer.looping);
    else viewer.click(x);
    press = null;
  });
  stage.addEventListener("pointercancel", () => {
    press = null;
    touch.cancel();
  });
  stage.addEventListener("pointerleave", (event) => !finger(event) && !press && viewer.trace && viewer.leave());
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
