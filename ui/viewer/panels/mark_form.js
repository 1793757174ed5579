// The form to mark a span: a label, the two ends, a comment. Enter saves, Escape leaves.

import { fixed } from "../numbers.js";
import { make, makeButton } from "./make.js";
import { labelText } from "./marks.js";

/** @import { Mark } from "../types.js" */
/** @import { MarkEditor } from "./mark_editor.js" */

export class MarkForm {
  /** @param {MarkEditor} editor */
  constructor(editor) {
    const seconds = () => make("input", { type: "number", step: "0.01", required: "" });
    this.from = seconds();
    this.to = seconds();
    this.comment = make("input", {
      type: "text", maxlength: "5000", placeholder: "Comment, if you like", "aria-label": "Comment",
    });
    this.choice = make("div", { class: "labels", role: "radiogroup", "aria-label": "What about it" });
    /** @type {HTMLInputElement[]} */
    this.radios = [];
    this.problem = make("p", { class: "problem", role: "alert" });
    this.saveButton = make("button", { type: "submit", class: "first", text: "Save" });
    this.withdrawButton = makeButton({ text: "Withdraw", class: "back" }, () => editor.withdrawEdited());
    this.element = make(
      "form",
      { class: "mark-form", hidden: "", "aria-label": "Mark a span" },
      make(
        "div",
        { class: "row" },
        this.choice,
        make("label", {}, "From ", this.from, " s"),
        make("label", {}, "To ", this.to, " s"),
      ),
      this.comment,
      make(
        "div",
        { class: "row" },
        this.saveButton,
        makeButton({ text: "Play" }, () => editor.marks.play(this.read())),
        this.withdrawButton,
        makeButton({ text: "Cancel" }, () => editor.close()),
      ),
      this.problem,
    );
    for (const input of [this.from, this.to]) {
      input.addEventListener("input", () => {
        const { start, end } = this.read();
        if (end > start) editor.viewer.selection.setSpan(start, end);
      });
    }
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      editor.send(this.read());
    });
    this.element.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Escape") return;
      event.preventDefault();
      editor.close();
    });
  }

  /** What is filled in. */
  read() {
    return {
      start: Number(this.from.value),
      end: Number(this.to.value),
      label: this.radios.find((radio) => radio.checked)?.value ?? "",
      comment: this.comment.value,
    };
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    for (const button of [this.saveButton, this.withdrawButton]) button.disabled = busy;
  }

  /** Show a problem, empty for none; the form can be sent again. @param {string} text */
  say(text) {
    this.setBusy(false);
    this.problem.textContent = text;
  }

  /** @param {Mark} span @param {string[]} labels */
  open(span, labels) {
    this.radios = labels.map((label) => make("input", { type: "radio", name: "label", value: label }));
    const chosen = this.radios.find((radio) => radio.value === span.label) ?? this.radios[0];
    chosen.checked = true;
    this.choice.replaceChildren(
      ...this.radios.map((radio) => make("label", {}, radio, make("span", { text: labelText(radio.value) }))),
    );
    this.from.value = fixed(span.start, 2);
    this.to.value = fixed(span.end, 2);
    this.comment.value = span.comment ?? "";
    this.withdrawButton.hidden = !span.id;
    this.say("");
    this.element.hidden = false;
    chosen.focus();
  }
}
