// Spans that a person marked: drawn over the picture and listed below it.

import { fixed } from "../numbers.js";
import { make, makeButton } from "./make.js";

/** @import { Interval, Mark } from "../types.js" */
/** @import { Viewer } from "../viewer.js" */

const CHIP = 20; // pixels between two rows of labels

/** A label as people read it. @param {string} label */
export const labelText = (label) => label.replaceAll("_", " ");

/** @param {Pick<Mark, "start" | "end">} span */
const seconds = ({ start, end }) => `${fixed(start, 2)}–${fixed(end, 2)} s`;

export class Marks {
  /** `edit` opens a span to change it; without it the spans are only shown.
   *  @param {Viewer} viewer @param {((span: Mark) => void) | null} [edit] */
  constructor(viewer, edit = null) {
    this.viewer = viewer;
    this.edit = edit;
    /** @type {Mark[]} */
    this.spans = [];
    /** @type {{element: HTMLElement, chip: HTMLElement}[]} */
    this.drawn = [];
    this.layer = make("div", { class: "spans" });
    viewer.elements.stage.after(this.layer);
    this.list = make("div", { class: "marked", hidden: "" });
    viewer.elements.experts.before(this.list);
    viewer.layers.push(this);
  }

  /** @param {Mark[]} spans */
  show(spans) {
    this.spans = spans;
    this.viewer.root.dataset.marks = String(spans.length);
    this.drawn = spans.map((span) => this.draw(span));
    this.layer.replaceChildren(...this.drawn.map(({ element }) => element));
    this.place();
    this.list.hidden = !spans.length;
    const items = make("ul", {}, ...spans.map((span) => this.item(span)));
    this.list.replaceChildren(make("h3", { text: "Marked spans" }), items);
  }

  /** @param {Mark} span */
  draw(span) {
    const text = labelText(span.label);
    const words = `${text}, ${seconds(span)}${span.comment ? `: ${span.comment}` : ""}`;
    const open = () => (this.edit ? this.edit(span) : this.play(span));
    const chip = makeButton({ title: words, "aria-label": `Marked span: ${words}`, text }, open);
    return { element: make("div", { class: "span" }, chip), chip };
  }

  /** Put every span where its seconds are, labels that would cover each other in rows. */
  place() {
    if (!this.viewer.current) return;
    const { axis, plan } = this.viewer.current;
    const { top } = plan.lanes.wave;
    const height = plan.lanes.sound.bottom - top;
    /** The right end of each row's last label. @type {number[]} */
    const ends = [];
    this.drawn.forEach(({ element, chip }, index) => {
      const { start, end } = this.spans[index];
      const left = Math.max(axis.x(start), axis.left);
      const right = Math.min(axis.x(end), axis.left + axis.width);
      element.hidden = right <= left;
      if (element.hidden) return;
      const width = Math.max(right - left, 2);
      Object.assign(element.style, {
        left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`,
      });
      const over = Math.min(left, axis.left + axis.width - chip.offsetWidth);
      let row = ends.findIndex((taken) => taken <= over);
      if (row < 0) row = ends.length;
      ends[row] = over + chip.offsetWidth + 2;
      Object.assign(chip.style, { left: `${over - left}px`, top: `${row * CHIP}px` });
    });
  }

  /** @param {Mark} span */
  item(span) {
    const { edit } = this;
    const when = seconds(span);
    const item = make(
      "li",
      {},
      makeButton({ class: "hear", "aria-label": `Play ${when}`, text: when }, () => this.play(span)),
      make("b", { text: labelText(span.label) }),
      make("span", { class: "remark", text: span.comment ?? "" }),
    );
    if (edit) {
      const name = `Change ${labelText(span.label)}, ${when}`;
      item.append(makeButton({ text: "Change", "aria-label": name }, () => edit(span)));
    }
    return item;
  }

  /** @param {Pick<Mark, "start" | "end">} span */
  play({ start, end }) {
    const { playback } = this.viewer;
    playback.play([/** @type {Interval} */ ([start, end])], playback.looping);
  }
}
