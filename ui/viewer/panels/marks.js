// Spans that a person marks: drawn over the picture, listed below it, and written in a small form between. They are
// kept by the server, which tells all of them after every change.

const CHIP = 20; // pixels between two rows of labels
const PATIENCE = 10000; // ms after which the form can be sent again although the server never answered

const spoken = (label) => label.replaceAll("_", " ");
const seconds = ({ start, end }) => `${fixed(start, 2)}–${fixed(end, 2)} s`;

class Marks {
  /** `save({id, start, end, label, comment})`, with no id for a new span, and `withdraw(id)` tell the server. Without
   *  them the spans are only shown. */
  constructor(viewer, { save = null, withdraw = null } = {}) {
    Object.assign(this, { viewer, save, withdraw, labels: [], spans: [], edited: null, on: false });
    this.layer = make("div", { class: "spans" });
    viewer.stage.after(this.layer);
    this.list = make("div", { class: "marked", hidden: "" });
    viewer.experts.before(this.list);
    viewer.layers.push(this);
    if (!save) return;
    this.button = make("button", { type: "button", class: "mark", "aria-pressed": "false", title: "Mark a span (M)" });
    this.button.append("Mark");
    this.button.addEventListener("click", () => this.toggle());
    viewer.root.querySelector(".zoom").before(this.button);
    this.undo = make("button", { type: "button", class: "undo", text: "Undo the last mark", hidden: "" });
    this.list.before(this.undo);
    this.form = markForm(this);
    viewer.map.after(this.form.element);
    takeMarkKeys(this);
    takeMarkDrags(this);
  }

  /** Another answer is shown, whose spans are not known yet. */
  clear() {
    this.show([], []);
    if (!this.save) return;
    this.offer(null);
    this.close();
    this.switch(false);
  }

  /** What the server keeps of this answer; `labels` is what a span can be marked as, none if it cannot be. */
  show(spans, labels) {
    const known = new Set(this.spans.map(({ id }) => id));
    Object.assign(this, { spans, labels, fresh: spans.find(({ id }) => !known.has(id)) });
    if (this.save) this.button.hidden = !labels.length;
    this.viewer.root.dataset.marks = spans.length;
    this.layer.replaceChildren(...spans.map((span) => this.drawn(span)));
    this.place();
    this.list.hidden = !spans.length;
    this.list.replaceChildren(make("h3", { text: "Marked spans" }), make("ul", {}, ...spans.map((span) => this.listed(span))));
  }

  /** The answer to what was sent: it is saved, or there is a problem and what was typed stays. */
  answered(problem) {
    clearTimeout(this.waiting);
    if (problem) return this.form.element.hidden ? this.viewer.say(problem) : this.form.say(problem);
    this.close();
    this.viewer.say(this.sent ? "Saved." : "Undone.");
    if (!this.sent) {
      this.viewer.stage.focus({ preventScroll: true });
      return this.offer(null);
    }
    const { before } = this.sent; // a new span goes again, any other one becomes what it was
    this.offer(before ? () => this.save(before) : () => this.withdraw(this.fresh.id));
  }

  /** Let the last change be taken back by `act`; null for nothing to take back. */
  offer(act) {
    this.sent = null;
    this.undo.hidden = !act;
    this.undo.onclick = act;
  }

  // On the picture

  drawn(span) {
    const words = `${spoken(span.label)}, ${seconds(span)}${span.comment ? `: ${span.comment}` : ""}`;
    const chip = make("button", { type: "button", title: words, "aria-label": `Marked span: ${words}`, text: spoken(span.label) });
    chip.addEventListener("click", () => (this.save ? this.open(span) : this.play(span)));
    return make("div", { class: "span" }, chip);
  }

  /** Put every span where its seconds are, labels that would cover each other in rows. */
  place() {
    const { axis, plan, trace } = this.viewer;
    if (!trace || !plan) return;
    const { top } = plan.lanes.wave;
    const ends = [];
    [...this.layer.children].forEach((element, index) => {
      const { start, end } = this.spans[index];
      const left = Math.max(axis.x(start), axis.left);
      const right = Math.min(axis.x(end), axis.left + axis.width);
      element.hidden = right <= left;
      if (element.hidden) return;
      Object.assign(element.style, { left: `${left}px`, top: `${top}px` });
      Object.assign(element.style, { width: `${Math.max(right - left, 2)}px`, height: `${plan.lanes.sound.bottom - top}px` });
      const chip = element.firstChild;
      const over = Math.min(left, axis.left + axis.width - chip.offsetWidth);
      let row = ends.findIndex((taken) => taken <= over);
      if (row < 0) row = ends.length;
      ends[row] = over + chip.offsetWidth + 2;
      Object.assign(chip.style, { left: `${over - left}px`, top: `${row * CHIP}px` });
    });
  }

  // In the list

  listed(span) {
    const play = make("button", { type: "button", class: "hear", "aria-label": `Play ${seconds(span)}`, text: seconds(span) });
    play.addEventListener("click", () => this.play(span));
    const item = make("li", {}, play, make("b", { text: spoken(span.label) }));
    item.append(make("span", { class: "said", text: span.comment ?? "" }));
    if (!this.save) return item;
    const change = make("button", { type: "button", text: "Change", "aria-label": `Change ${spoken(span.label)}, ${seconds(span)}` });
    change.addEventListener("click", () => this.open(span));
    item.append(change);
    return item;
  }

  play({ start, end }) {
    this.viewer.playSpans([[start, end]], this.viewer.looping);
  }

  // Marking

  /** Turn marking by a plain drag on or off; what is chosen already is marked at once. */
  toggle() {
    this.switch(!this.on);
    const chosen = this.on && this.viewer.chosen();
    if (chosen) this.mark(chosen);
    else if (!this.on) this.close();
    else this.viewer.say("Drag over the picture to mark a span, or press M on a token.");
  }

  switch(on) {
    this.on = on;
    this.button.setAttribute("aria-pressed", String(on));
    this.viewer.root.classList.toggle("marking", on);
  }

  /** Begin a new span. */
  mark([start, end]) {
    if (this.labels.length) this.open({ start, end, label: this.edited?.label ?? this.labels[0], comment: "" });
  }

  open(span) {
    this.edited = span;
    this.choose(span.start, span.end);
    this.viewer.root.classList.add("editing");
    this.form.open(span, this.labels);
  }

  close() {
    clearTimeout(this.waiting);
    if (!this.edited) return;
    this.edited = null;
    this.viewer.root.classList.remove("editing");
    this.form.element.hidden = true;
    if (!this.viewer.trace) return;
    this.viewer.player.stop();
    this.choose();
    this.viewer.stage.focus({ preventScroll: true });
  }

  /** Show a span, from one time to the other, as the viewer's selection; without times none. */
  choose(...ends) {
    const { viewer } = this;
    const { first, last } = viewer.trace;
    if (ends.length) return viewer.setSpan(ends.map((time) => clamp(time, first, last)).sort((a, b) => a - b));
    viewer.selection = null;
    delete viewer.root.dataset.selection;
    viewer.touched();
    viewer.move();
  }

  send(said) {
    this.wait();
    this.sent = { before: this.edited.id ? this.edited : null };
    this.save({ ...said, id: this.edited.id ?? null });
  }

  takeBack() {
    this.wait();
    this.sent = { before: this.edited };
    this.withdraw(this.edited.id);
  }

  wait() {
    this.form.busy(true);
    this.waiting = setTimeout(() => this.form.say("The server does not answer. What you wrote is still here."), PATIENCE);
  }
}

/** The form: a label, the two ends, a comment. Enter saves, Escape leaves. */
function markForm(marks) {
  const element = make("form", { class: "mark-form", hidden: "", "aria-label": "Mark a span" });
  const choice = make("div", { class: "labels", role: "radiogroup", "aria-label": "What about it" });
  const [from, to] = ["From", "To"].map(() => make("input", { type: "number", step: "0.01", required: "" }));
  const comment = make("input", { type: "text", maxlength: "5000", placeholder: "Comment, if you like" });
  comment.setAttribute("aria-label", "Comment");
  const problem = make("p", { class: "problem", role: "alert" });
  const button = (text, act, name = "") => {
    const made = make("button", { type: "button", text, class: name });
    made.addEventListener("click", act);
    return made;
  };
  const save = make("button", { type: "submit", class: "first", text: "Save" });
  const back = button("Withdraw", () => marks.takeBack(), "back");
  const ends = [["From", from], ["To", to]].map(([text, input]) => make("label", {}, `${text} `, input, " s"));
  const row = make("div", { class: "row" }, save, button("Play", () => marks.play(read())), back, button("Cancel", () => marks.close()));
  element.append(make("div", { class: "row" }, choice, ...ends), comment, row, problem);

  const read = () => ({ start: Number(from.value), end: Number(to.value) });
  for (const input of [from, to]) {
    input.addEventListener("input", () => read().end > read().start && marks.choose(read().start, read().end));
  }
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    marks.send({ ...read(), label: element.querySelector("input:checked").value, comment: comment.value });
  });
  element.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    marks.close();
  });

  const busy = (waiting) => [save, back].forEach((one) => (one.disabled = waiting));
  return {
    element,
    busy,
    say(text) {
      busy(false);
      problem.textContent = text;
    },
    open(span, labels) {
      choice.replaceChildren(
        ...labels.map((name) => {
          const radio = make("input", { type: "radio", name: "label", value: name });
          radio.checked = name === span.label;
          return make("label", {}, radio, make("span", { text: spoken(name) }));
        }),
      );
      if (!choice.querySelector(":checked")) choice.querySelector("input").checked = true;
      [from.value, to.value, comment.value] = [fixed(span.start, 2), fixed(span.end, 2), span.comment ?? ""];
      back.hidden = !span.id;
      this.say("");
      element.hidden = false;
      choice.querySelector(":checked").focus();
    },
  };
}

/** M marks what is chosen: a token, or the span that a drag or the keys I and O have left. */
function takeMarkKeys(marks) {
  const { viewer } = marks;
  viewer.keys.firstChild.append(
    ...[["M", "mark the token, or the span"], ["Shift drag", "mark a span"]].map(([keys, what]) =>
      make("div", {}, make("dt", { text: keys }), make("dd", { text: what })),
    ),
  );
  viewer.stage.addEventListener("keydown", (event) => {
    if (!viewer.trace || !marks.labels.length || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") marks.switch(false);
    if (event.key.toLowerCase() !== "m") return;
    event.preventDefault();
    event.stopPropagation();
    if (viewer.chosen()) marks.mark(viewer.chosen());
    else marks.toggle();
  });
}

/** A drag marks while marking is on, or with Shift; it never gets to the viewer, which would play it. */
function takeMarkDrags(marks) {
  const { viewer } = marks;
  const { stage } = viewer;
  let from = null;
  const time = (event) => viewer.axis.time(event.clientX - stage.getBoundingClientRect().left);
  const listen = (type, act) =>
    stage.parentElement.addEventListener(
      type,
      (event) => {
        if (type === "pointerdown" ? !begins(event) : from === null) return;
        event.stopPropagation();
        act(event);
      },
      { capture: true },
    );
  const begins = (event) =>
    event.button === 0 && viewer.trace && marks.labels.length && (marks.on || event.shiftKey) && stage.contains(event.target);
  listen("pointerdown", (event) => {
    from = { time: time(event), x: event.clientX };
    stage.setPointerCapture(event.pointerId);
  });
  listen("pointermove", (event) => marks.choose(from.time, time(event)));
  listen("pointerup", (event) => {
    const token = viewer.trace.at(from.time);
    const { start, end } = viewer.trace.tokens;
    if (Math.abs(event.clientX - from.x) > DRAG) marks.choose(from.time, time(event));
    else if (token >= 0) marks.choose(start[token], end[token]);
    from = null;
    if (viewer.selection && viewer.selection[1] > viewer.selection[0]) marks.mark(viewer.selection);
  });
  listen("pointercancel", () => (from = null));
}
