// Flagged tokens judged by ear: each is played alone, in any order, and a person says whether it mattered. Some that
// are not flagged are among them as controls, and nothing on the picture shows which is which.

import { keyOf } from "../input/keys.js";
import { make, makeButton } from "./make.js";

/** @import { Interval, Verdict } from "../types.js" */
/** @import { Viewer } from "../viewer.js" */

const FLAGGED_PER_CONTROL = 4;
export const ROUND = 20; // tokens at most until one may stop: a clip of 30 s has hundreds
const AROUND = 0.4; // seconds on either side, where a token is played with what surrounds it
/** @type {[Verdict, string][]} */
const VERDICTS = [["mattered", "did matter"], ["did_not", "did not"], ["unclear", "cannot tell"]];

/** Verdicts by the number of the token. @typedef {Record<string, Verdict>} Verdicts */

/** The tokens of a round, in any order: flagged ones that are not judged yet or, when all are, of all again, with
 *  controls that are not flagged among them.
 *  @param {number[]} flagged @param {number[]} kept @param {Verdicts} judged */
export function tokensToJudge(flagged, kept, judged) {
  /** @param {number[]} tokens */
  const left = (tokens) => tokens.filter((token) => !(token in judged));
  const [open, others] = left(flagged).length ? [left(flagged), left(kept)] : [flagged, kept];
  const controlled = (open.length * (FLAGGED_PER_CONTROL + 1)) / FLAGGED_PER_CONTROL;
  const most = (ROUND * FLAGGED_PER_CONTROL) / (FLAGGED_PER_CONTROL + 1);
  const asked = controlled > ROUND ? shuffled(open).slice(0, most) : open;
  const controls = shuffled(others).slice(0, Math.ceil(asked.length / FLAGGED_PER_CONTROL));
  return shuffled([...asked, ...controls]);
}

/** @param {number[]} items */
function shuffled(items) {
  const drawn = [...items];
  for (let i = drawn.length - 1; i > 0; i--) {
    const other = Math.floor(Math.random() * (i + 1));
    [drawn[i], drawn[other]] = [drawn[other], drawn[i]];
  }
  return drawn;
}

export class VerdictPanel {
  /** `save` sends verdicts to the server. @param {Viewer} viewer @param {(verdicts: Verdicts) => void} save */
  constructor(viewer, save) {
    this.viewer = viewer;
    this.save = save;
    /** As the server keeps them. @type {Verdicts} */
    this.saved = {};
    /** Given since, and not confirmed yet. @type {Verdicts} */
    this.unsaved = {};
    /** @type {number[]} */
    this.queue = [];
    this.at = 0;
    this.judging = false;
    this.button = makeButton({ class: "judge", text: "Judge by ear", hidden: "" }, () => this.begin());
    viewer.elements.own.after(this.button);
    const name = "Judge tokens by ear";
    this.panel = make("section", { class: "verdicts", tabindex: "-1", "aria-label": name, hidden: "" });
    viewer.elements.picture.before(this.panel);
    this.panel.addEventListener("keydown", (event) => this.key(event));
    this.count = make("p", { class: "count", "aria-live": "polite" });
    this.asked = make("p", { class: "asked" });
    this.problem = make("p", { class: "problem", role: "alert" });
    this.choices = VERDICTS.map(([verdict, text], i) =>
      this.keyButton(String(i + 1), text, () => this.judge(verdict), "choice"),
    );
    this.build();
  }

  /** A button with its key on it; the keys go on working after a click.
   *  @param {string} key @param {string} text @param {() => void} act */
  keyButton(key, text, act, name = "") {
    const press = () => {
      act();
      this.panel.focus({ preventScroll: true });
    };
    return makeButton({ class: name }, press, make("kbd", { text: key }), text);
  }

  build() {
    this.panel.append(
      make("div", { class: "head" }, make("h3", { text: "Did this sound matter to the answer?" }), this.count),
      this.asked,
      make("div", { class: "row" }, ...this.choices),
      make(
        "div",
        { class: "row" },
        this.keyButton("Space", "again", () => this.play()),
        this.keyButton("C", "with what surrounds it", () => this.play(AROUND)),
        this.keyButton("Z", "back", () => this.back()),
        this.keyButton("Esc", "end", () => this.end()),
      ),
      make("p", {
        class: "hint",
        text:
          "One token is played alone, then the next, in random order. Most are redundant by SACLM, some are not, " +
          "and the picture does not show which.",
      }),
      this.problem,
    );
  }

  /** Another answer is shown, whose verdicts are not known yet. */
  clear() {
    this.end();
    this.saved = {};
    this.unsaved = {};
    this.button.hidden = true;
  }

  /** What the server keeps of this answer, and the question with it.
   *  @param {Verdicts} saved @param {{question: string, answer: string}} asked */
  show(saved, { question, answer }) {
    this.saved = saved;
    this.asked.replaceChildren(make("span", { text: question }), make("b", { text: answer }));
    this.unsaved = {};
    this.button.hidden = !this.viewer.shown.trace.audible || !this.tokens(true).length;
    this.label();
  }

  /** The answer to what was sent. What is not saved yet is sent again with the next verdict.
   *  @param {Verdicts} saved @param {string | undefined} problem */
  answered(saved, problem) {
    this.problem.textContent = problem ?? "";
    if (problem) return;
    this.saved = saved;
    for (const [token, verdict] of Object.entries(this.unsaved)) {
      if (saved[token] === verdict) delete this.unsaved[token];
    }
    this.label();
  }

  label() {
    const judged = Object.keys(this.saved).length;
    this.button.textContent = judged ? `Judge by ear (${judged} judged)` : "Judge by ear";
    this.viewer.root.dataset.judged = String(judged);
  }

  /** The tokens that are redundant by the model's own threshold, or those that are not. @param {boolean} flagged */
  tokens(flagged) {
    const { trace } = this.viewer.shown;
    const all = [...Array(trace.count).keys()];
    return all.filter((index) => trace.redundant(index, trace.threshold) === flagged);
  }

  /** Go through the tokens. */
  begin() {
    this.queue = tokensToJudge(this.tokens(true), this.tokens(false), this.saved);
    this.at = 0;
    this.judging = true;
    this.viewer.selection.release();
    this.viewer.root.classList.add("blind");
    this.problem.textContent = "";
    this.panel.hidden = false;
    this.panel.focus();
    this.panel.scrollIntoView({ block: "nearest" });
    this.next();
  }

  next() {
    if (this.at >= this.queue.length) return this.end(this.thanks());
    this.count.textContent = `${this.at + 1} of ${this.queue.length}`;
    const given = this.unsaved[this.token] ?? this.saved[this.token];
    this.choices.forEach((choice, i) => choice.setAttribute("aria-pressed", String(VERDICTS[i][0] === given)));
    this.play();
  }

  /** What a finished round leaves. */
  thanks() {
    const left = this.tokens(true).filter((token) => !(token in this.saved) && !(token in this.unsaved)).length;
    if (!left) return "All of them are judged. Thank you.";
    return `${this.queue.length} judged, thank you. ${left} are left: “Judge by ear” goes on with them.`;
  }

  get token() {
    return this.queue[this.at];
  }

  play(around = 0) {
    const { trace } = this.viewer.shown;
    const [start, end] = trace.interval(this.token);
    /** @type {Interval} */
    const span = [Math.max(start - around, trace.first), Math.min(end + around, trace.last)];
    this.viewer.playback.play([span], false);
  }

  /** @param {Verdict} verdict */
  judge(verdict) {
    this.unsaved[this.token] = verdict;
    this.save({ ...this.unsaved });
    this.at += 1;
    this.next();
  }

  back() {
    if (this.at === 0) return;
    this.at -= 1;
    this.next();
  }

  end(words = "") {
    if (!this.judging) return;
    this.judging = false;
    this.panel.hidden = true;
    this.viewer.root.classList.remove("blind");
    this.viewer.player.stop();
    this.viewer.say(words);
    this.button.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const action = this.actions()[keyOf(event)];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  /** What each key does. @returns {Record<string, () => void>} */
  actions() {
    const judge = VERDICTS.map(([verdict], i) => [i + 1, () => this.judge(verdict)]);
    return {
      " ": () => this.play(),
      r: () => this.play(),
      c: () => this.play(AROUND),
      z: () => this.back(),
      Escape: () => this.end(),
      ...Object.fromEntries(judge),
    };
  }
}
