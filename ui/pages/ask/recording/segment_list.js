// The table of segments: rows of one height, of which only those in view are on the page.

import { make } from "../../../viewer/panels/make.js";
import { clock } from "../span/span.js";

/** @import { Segment } from "./segments.js" */

const ROW = 36; // CSS pixels; the same as in recording.css
const MARGIN_ROWS = 10; // rows above and below what is in view

export class SegmentList {
  /** @param {HTMLElement} root scrolls @param {{choose: (index: number) => void, play: (index: number) => void}} act
   *  @param {(segment: Segment) => string} textOf what is said in a segment */
  constructor(root, act, textOf) {
    this.root = root;
    this.act = act;
    this.textOf = textOf;
    this.inner = /** @type {HTMLElement} */ (root.querySelector(".inner"));
    /** @type {Segment[]} */
    this.segments = [];
    this.chosen = -1;
    this.current = -1;
    root.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(root);
    root.addEventListener("click", ({ target }) => {
      const row = target instanceof Element ? target.closest("[data-index]") : null;
      if (row instanceof HTMLElement) this.act.play(Number(row.dataset.index));
    });
    root.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** @param {Segment[]} segments */
  show(segments) {
    this.segments = segments;
    this.inner.style.height = `${segments.length * ROW}px`;
    this.draw();
  }

  /** @param {number} index */
  choose(index) {
    this.chosen = index;
    this.reveal(index);
    this.draw();
  }

  /** The segment under the playhead. @param {number} index */
  light(index) {
    if (index === this.current) return;
    this.current = index;
    this.draw();
  }

  /** @param {number} index */
  reveal(index) {
    const { root } = this;
    if (index < 0) return;
    if (index * ROW < root.scrollTop) root.scrollTop = index * ROW;
    const below = (index + 1) * ROW - root.clientHeight;
    if (below > root.scrollTop) root.scrollTop = below;
  }

  draw() {
    const first = Math.max(0, Math.floor(this.root.scrollTop / ROW) - MARGIN_ROWS);
    const last = Math.min(
      this.segments.length,
      Math.ceil((this.root.scrollTop + this.root.clientHeight) / ROW) + MARGIN_ROWS,
    );
    this.inner.replaceChildren(...this.segments.slice(first, last).map((one, i) => this.row(one, first + i)));
    if (this.chosen >= first && this.chosen < last) {
      this.root.setAttribute("aria-activedescendant", `segment-${this.chosen}`);
    } else this.root.removeAttribute("aria-activedescendant");
  }

  /** @param {Segment} segment @param {number} index */
  row(segment, index) {
    const { start, end, kind, names, language } = segment;
    const row = make(
      "div",
      {
        class: "row",
        id: `segment-${index}`,
        role: "option",
        "data-index": index,
        "aria-selected": String(index === this.chosen),
        "aria-posinset": index + 1,
        "aria-setsize": this.segments.length,
        style: { top: `${index * ROW}px` },
      },
      make("span", { class: "at", text: clock(start) }),
      make("span", { class: "at", text: clock(end) }),
      make("span", { class: "kind", "data-kind": kind, text: kind }),
      make("span", { class: "what", text: [names.join(", "), this.textOf(segment)].filter(Boolean).join(" · ") }),
      make("span", { class: "language", text: language ?? "" }),
    );
    row.classList.toggle("current", index === this.current);
    return row;
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const page = Math.max(1, Math.floor(this.root.clientHeight / ROW) - 1);
    /** @type {Record<string, number>} */
    const goes = {
      ArrowDown: this.chosen + 1,
      ArrowUp: this.chosen - 1,
      PageDown: this.chosen + page,
      PageUp: this.chosen - page,
      Home: 0,
      End: this.segments.length - 1,
    };
    if (event.key === "Enter" && this.chosen >= 0) this.act.play(this.chosen);
    else if (event.key in goes && this.segments.length) {
      this.act.choose(Math.min(Math.max(goes[event.key], 0), this.segments.length - 1));
    } else return;
    event.preventDefault();
  }
}
