// The form below the table: what a person changes of the segment that is chosen.

import { find, findKind } from "../../../viewer/panels/make.js";
import { changesTo, timeIn } from "./segments.js";

/** @import { Segment } from "./segments.js" */

const FIELDS = ["start", "end", "language", "names"];

export class SegmentForm {
  /** @param {HTMLElement} root
   *  @param {{send: (changes: object[]) => void, now: () => number}} act */
  constructor(root, act) {
    this.form = findKind(root, "form.edit", HTMLFormElement);
    this.act = act;
    this.note = find(this.form, ".note");
    this.kind = findKind(this.form, "select", HTMLSelectElement);
    this.undo = findKind(this.form, ".undo", HTMLButtonElement);
    /** @type {Segment[]} */
    this.segments = [];
    this.index = -1;
    this.seconds = 0;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    find(this.form, ".split").addEventListener("click", () => this.split());
    find(this.form, ".merge").addEventListener("click", () => this.merge());
    this.undo.addEventListener("click", () => this.send([{ kind: "undo" }]));
  }

  /** @param {string} name */
  field(name) {
    return findKind(this.form, `[name="${name}"]`, HTMLInputElement);
  }

  /** Fill the form with a segment; -1 hides it. @param {Segment[]} segments @param {number} index
   *  @param {{seconds: number, edits: number}} recording */
  show(segments, index, { seconds, edits }) {
    const same = index === this.index && String(this.segments[index]?.start) === String(segments[index]?.start);
    [this.segments, this.index, this.seconds] = [segments, index, seconds];
    this.undo.disabled = edits === 0;
    const segment = segments[index];
    this.form.hidden = !segment;
    if (!segment || (same && this.form.contains(document.activeElement))) return; // a person is typing
    const { start, end, kind, names, language } = segment;
    const values = [start.toFixed(3), end.toFixed(3), language ?? "", names.join(", ")];
    FIELDS.forEach((name, i) => (this.field(name).value = values[i]));
    this.kind.value = kind;
    this.field("start").disabled = index === 0;
    this.field("end").disabled = index === segments.length - 1;
    findKind(this.form, ".merge", HTMLButtonElement).disabled = index === segments.length - 1;
  }

  /** @param {string} sentence */
  say(sentence) {
    this.note.textContent = sentence;
  }

  /** @param {object[]} changes */
  send(changes) {
    this.say("Saving…");
    this.act.send(changes);
  }

  save() {
    const [start, end] = ["start", "end"].map((name) => timeIn(this.field(name).value, this.seconds));
    if (start === null || end === null || start >= end) {
      return this.say("A segment ends after it starts, within the recording.");
    }
    const [language, names] = ["language", "names"].map((name) => this.field(name).value);
    const changes = changesTo(this.segments, this.index, { start, end, kind: this.kind.value, language, names });
    if (changes.length) this.send(changes);
    else this.say("Nothing to save.");
  }

  split() {
    const { start, end } = this.segments[this.index];
    const at = this.act.now();
    if (at <= start || at >= end) return this.say("Move the playhead into the segment to split it there.");
    this.send([{ kind: "split", at }]);
  }

  merge() {
    const next = this.segments[this.index + 1];
    if (next) this.send([{ kind: "merge", border: next.start }]);
  }
}
