// Marking spans: a new one, a change, or taking the last of these back. They are kept by the server, which sends all
// of them after every change.

import { takeMarkDrags, takeMarkKeys } from "../input/marking.js";
import { make, makeButton } from "./make.js";
import { MarkForm } from "./mark_form.js";
import { Marks } from "./marks.js";

/** @import { Interval, Mark } from "../types.js" */
/** @import { Viewer } from "../viewer.js" */

const PATIENCE = 10000; // ms after which the form can be sent again although the server never answered

export class MarkEditor {
  /** `save`, with no id for a new span, and `withdraw`, by id, send the change to the server.
   *  @param {Viewer} viewer @param {{save: (span: Mark) => void, withdraw: (id: string) => void}} server */
  constructor(viewer, { save, withdraw }) {
    this.viewer = viewer;
    this.save = save;
    this.withdraw = withdraw;
    /** What a span can be marked as; none before the server has sent them. @type {string[]} */
    this.labels = [];
    /** The span in the form. @type {Mark | null} */
    this.edited = null;
    /** What was sent, with the span as it was before, null for a new one. @type {{before: Mark | null} | null} */
    this.sent = null;
    /** The span that came with the server's last answer. @type {Mark | undefined} */
    this.newest = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
    this.on = false; // whether a plain drag marks
    this.marks = new Marks(viewer, (span) => this.open(span));
    const attributes = { class: "mark", "aria-pressed": "false", title: "Mark a span (M)", text: "Mark" };
    this.button = makeButton(attributes, () => this.toggle());
    viewer.elements.zoom.before(this.button);
    this.undo = make("button", { type: "button", class: "undo", text: "Undo the last mark", hidden: "" });
    this.marks.list.before(this.undo);
    this.form = new MarkForm(this);
    viewer.elements.map.after(this.form.element);
    takeMarkKeys(this);
    takeMarkDrags(this);
  }

  /** Another answer is shown, whose spans are not known yet. */
  clear() {
    this.show([], []);
    this.offerUndo(null);
    this.close();
    this.switch(false);
  }

  /** What the server keeps of this answer. @param {Mark[]} spans @param {string[]} labels */
  show(spans, labels) {
    const known = new Set(this.marks.spans.map(({ id }) => id));
    this.newest = spans.find(({ id }) => !known.has(id));
    this.labels = labels;
    this.button.hidden = !labels.length;
    this.marks.show(spans);
  }

  /** The answer to what was sent: it is saved, or there is a problem and what was typed stays.
   *  @param {string | undefined} problem */
  answered(problem) {
    clearTimeout(this.waiting);
    if (problem) return this.form.element.hidden ? this.viewer.say(problem) : this.form.say(problem);
    this.close();
    this.viewer.say(this.sent ? "Saved." : "Undone.");
    if (!this.sent) {
      this.viewer.elements.stage.focus({ preventScroll: true });
      return this.offerUndo(null);
    }
    const { before } = this.sent; // a new span goes again, any other one becomes what it was
    const id = this.newest?.id;
    if (before) this.offerUndo(() => this.save(before));
    else this.offerUndo(id ? () => this.withdraw(id) : null);
  }

  /** Let the last change be taken back by `act`; null for nothing to take back. @param {(() => void) | null} act */
  offerUndo(act) {
    this.sent = null;
    this.undo.hidden = !act;
    this.undo.onclick = act;
  }

  /** Turn marking by a plain drag on or off; what is chosen already is marked at once. */
  toggle() {
    this.switch(!this.on);
    const chosen = this.on && this.viewer.selection.chosen;
    if (chosen) this.begin(chosen);
    else if (!this.on) this.close();
    else this.viewer.say("Drag over the picture to mark a span, or press M on a token.");
  }

  /** @param {boolean} on */
  switch(on) {
    this.on = on;
    this.button.setAttribute("aria-pressed", String(on));
    this.viewer.root.classList.toggle("marking", on);
  }

  /** Begin a new span. @param {Interval} span */
  begin([start, end]) {
    if (this.labels.length) {
      this.open({ id: null, start, end, label: this.edited?.label ?? this.labels[0], comment: "" });
    }
  }

  /** @param {Mark} span */
  open(span) {
    this.edited = span;
    this.viewer.selection.setSpan(span.start, span.end);
    this.viewer.root.classList.add("editing");
    this.form.open(span, this.labels);
  }

  close() {
    clearTimeout(this.waiting);
    if (!this.edited) return;
    this.edited = null;
    const { viewer } = this;
    viewer.root.classList.remove("editing");
    this.form.element.hidden = true;
    if (!viewer.current) return;
    viewer.player.stop();
    viewer.selection.dropSpan();
    viewer.reportSelection();
    viewer.move();
    viewer.elements.stage.focus({ preventScroll: true });
  }

  /** @param {Omit<Mark, "id">} filled the form as it was filled in */
  send(filled) {
    if (!this.edited) return;
    const { id } = this.edited;
    this.wait();
    this.sent = { before: id === null ? null : this.edited };
    this.save({ ...filled, id });
  }

  withdrawEdited() {
    if (!this.edited?.id) return;
    this.wait();
    this.sent = { before: this.edited };
    this.withdraw(this.edited.id);
  }

  wait() {
    const sentence = "The server does not answer. What you wrote is still here.";
    this.form.setBusy(true);
    this.waiting = setTimeout(() => this.form.say(sentence), PATIENCE);
  }
}
