// The transcript on the page. All of its text is there, to be read, searched and copied; words one by one only in the
// lines in view, to be lit and clicked.

import { make } from "../../../viewer/panels/make.js";
import { clock } from "../span/span.js";

/** @import { Transcript } from "./transcript.js" */

const AROUND = "300px"; // above and below what is in view
const LEFT_ALONE = 4000; // ms after a person has scrolled in which the transcript does not

export class TranscriptView {
  /** @param {HTMLElement} root scrolls @param {Transcript} transcript
   *  @param {{play: (time: number) => void, follows: () => boolean}} act */
  constructor(root, transcript, act) {
    this.root = root;
    this.transcript = transcript;
    this.act = act;
    /** @type {HTMLElement[]} */
    this.lines = [];
    this.word = -1;
    this.scrolled = -Infinity;
    this.inView = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => this.open(target, isIntersecting)),
      { root, rootMargin: AROUND },
    );
    for (const kind of ["wheel", "touchmove", "pointerdown"]) {
      root.addEventListener(kind, () => (this.scrolled = performance.now()), { passive: true });
    }
    root.addEventListener("click", ({ target }) => this.clicked(target));
    root.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** Draw the lines from a number on anew. @param {number} from */
  changed(from) {
    for (const line of this.lines.splice(from)) {
      this.inView.unobserve(line);
      line.remove();
    }
    const { transcript } = this;
    for (let number = from; number < transcript.lines.length; number++) {
      const [first] = transcript.range(number);
      const time = make("span", { class: "time", text: clock(transcript.words[first][0]).replace(/\.\d$/, "") });
      const said = make("span", { class: "said", text: transcript.text(number) });
      const line = make("p", { "data-line": number }, time, said);
      this.lines.push(line);
      this.root.append(line);
      this.inView.observe(line);
    }
    this.root.dataset.lines = String(this.lines.length);
    const { word } = this;
    this.word = -1;
    this.light(word);
  }

  /** Words one by one, or as a text. @param {Element} line @param {boolean} open */
  open(line, open) {
    const said = line.querySelector(".said");
    if (!said || Boolean(said.firstElementChild) === open || (!open && said.contains(document.activeElement))) return;
    const number = Number(/** @type {HTMLElement} */ (line).dataset.line);
    const { transcript } = this;
    if (!open) return void (said.textContent = transcript.text(number));
    const [first, last] = transcript.range(number);
    const words = transcript.words.slice(first, last).map(([, , text], i) => {
      const word = make("span", { class: "w", tabindex: -1, "data-word": first + i, text: text.trimStart() });
      return i ? [/^\s/.test(text) ? " " : "", word] : [word];
    });
    said.replaceChildren(...words.flat());
    if (this.word >= first && this.word < last) this.mark(this.word, true);
  }

  /** The word that is being said; -1 for none. @param {number} word */
  light(word) {
    if (word === this.word) return;
    const [before, after] = [this.transcript.lineOf(this.word), this.transcript.lineOf(word)];
    this.mark(this.word, false);
    this.word = word;
    this.mark(word, true);
    if (before === after) return;
    this.lines[before]?.classList.remove("current");
    const line = word < 0 ? undefined : this.lines[after];
    line?.classList.add("current");
    if (line && this.act.follows() && performance.now() - this.scrolled > LEFT_ALONE) this.reveal(line);
  }

  /** @param {number} word @param {boolean} lit */
  mark(word, lit) {
    if (word >= 0) this.spanOf(word)?.classList.toggle("now", lit);
  }

  /** @param {number} word @returns {HTMLElement | null} */
  spanOf(word) {
    return this.lines[this.transcript.lineOf(word)]?.querySelector(`[data-word="${word}"]`) ?? null;
  }

  /** Without moving the page. @param {HTMLElement} line */
  reveal(line) {
    const { root } = this;
    const [top, bottom] = [line.offsetTop, line.offsetTop + line.offsetHeight]; // within `root`, which is positioned
    const above = root.scrollTop;
    if (top < above || bottom > above + root.clientHeight) root.scrollTop = top - root.clientHeight / 4;
  }

  /** @param {EventTarget | null} target */
  clicked(target) {
    if (!(target instanceof HTMLElement) || String(getSelection())) return; // words are being copied
    const word = target.closest("[data-word]");
    const line = target.closest("[data-line]");
    if (word instanceof HTMLElement) this.act.play(this.transcript.words[Number(word.dataset.word)][0]);
    else if (line instanceof HTMLElement) {
      this.act.play(this.transcript.words[this.transcript.range(Number(line.dataset.line))[0]][0]);
    }
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const { transcript } = this;
    const focused = document.activeElement;
    const at = focused instanceof HTMLElement && focused.dataset.word ? Number(focused.dataset.word) : -1;
    const line = transcript.lineOf(Math.max(at, 0));
    /** @type {Record<string, number>} */
    const goes = {
      ArrowRight: at < 0 ? Math.max(this.word, 0) : at + 1,
      ArrowLeft: Math.max(at - 1, 0),
      ArrowDown: at < 0 ? Math.max(this.word, 0) : (transcript.lines[line + 1] ?? at),
      ArrowUp: transcript.lines[Math.max(line - 1, 0)] ?? 0,
      Home: 0,
      End: transcript.words.length - 1,
    };
    if ((event.key === "Enter" || event.key === " ") && at >= 0) this.act.play(transcript.words[at][0]);
    else if (event.key in goes) this.focus(Math.min(goes[event.key], transcript.words.length - 1));
    else return;
    event.preventDefault();
  }

  /** @param {number} word */
  focus(word) {
    const line = this.lines[this.transcript.lineOf(word)];
    if (!line || word < 0) return;
    this.scrolled = performance.now();
    this.open(line, true);
    this.reveal(line);
    this.spanOf(word)?.focus({ preventScroll: true });
  }
}
