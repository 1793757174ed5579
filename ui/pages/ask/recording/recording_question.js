// A question about all of a recording, its answer as it is written, the spans that the answer leans on, its rating, and
// what was asked before.

import { find, findKind, make, makeButton } from "../../../viewer/panels/make.js";
import { clock } from "../span/span.js";
import { RecordingRating } from "./recording_rating.js";

/** @import { Rating } from "./rating_drafts.js" */
/** @import { Outcome } from "./recording_rating.js" */
/** As the server sends it. `turn` names the question; `line` says how far the answer is; `leans`: spans in seconds. At
 *  its end, `id` of a stored one, or the `problem` why it is not stored.
 *  @typedef {{turn: number, line: string, text: string, leans: [number, number][], done: boolean, question?: string,
 *  id?: string, problem?: string}} WholeAnswer */
/** One that is stored.
 *  @typedef {{id: string, question: string, line: string, text: string, leans: [number, number][],
 *  rating: Rating | null}} KeptAnswer */

export class RecordingQuestion {
  /** @param {HTMLElement} root
   *  @param {{ask: (text: string) => number, stop: () => void, play: (time: number) => void,
   *    save: (of: string, rating: Rating) => void, withdraw: (of: string) => void}} act `ask` returns its turn */
  constructor(root, act) {
    this.act = act;
    this.form = findKind(root, "form.question", HTMLFormElement);
    this.reply = find(root, ".reply");
    this.before = find(root, ".asked-before");
    this.field = findKind(this.form, "input", HTMLInputElement);
    this.rating = new RecordingRating(root, act);
    this.turn = -1;
    /** The latest first. @type {KeptAnswer[]} */
    this.answers = [];
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.turn = act.ask(this.field.value);
      this.show({ turn: this.turn, line: "Waiting for the model\u2026", text: "", leans: [], done: false });
    });
    find(this.form, ".halt").addEventListener("click", () => act.stop());
  }

  /** Another recording, with what was answered about it. @param {KeptAnswer[]} answers */
  open(answers) {
    this.answers = answers;
    this.busy(false);
    if (answers.length) this.look(answers[0]);
    else {
      this.turn = -1;
      this.reply.hidden = this.before.hidden = true;
      this.rating.show(null);
    }
  }

  forget() {
    this.open([]);
    this.rating.drafts.forget();
  }

  /** Whether there is a file to ask about. @param {boolean} can */
  allow(can) {
    this.form.hidden = !can;
  }

  /** @param {boolean} writing */
  busy(writing) {
    find(this.form, ".ask").hidden = writing;
    find(this.form, ".halt").hidden = !writing;
    this.reply.setAttribute("aria-busy", String(writing));
  }

  /** @param {WholeAnswer | null} answer */
  show(answer) {
    if (!answer || answer.turn !== this.turn) return; // of a question before
    const { id, question = "", line, text, leans, done, problem = "" } = answer;
    if (done && id) {
      const kept = { id, question, line, text, leans, rating: null };
      this.answers.unshift(kept);
      this.look(kept);
    } else this.draw({ question, line, text, leans }, problem, done ? this.answers : []);
    this.busy(!done);
  }

  /** Show one that is stored. @param {KeptAnswer} answer */
  look(answer) {
    this.turn = -1;
    this.draw(
      answer,
      "",
      this.answers.filter((one) => one !== answer),
    );
    this.rating.show(answer);
  }

  /** @param {{question: string, line: string, text: string, leans: [number, number][]}} answer
   *  @param {string} problem @param {KeptAnswer[]} others */
  draw({ question, line, text, leans }, problem, others) {
    this.reply.hidden = false;
    find(this.reply, ".asked").textContent = question;
    find(this.reply, ".progress-line").textContent = line;
    find(this.reply, ".text").textContent = text;
    find(this.reply, ".unkept").textContent = problem;
    const spans = leans.map(([start, end]) =>
      makeButton({ text: [start, end].map((time) => clock(time).replace(/\.\d$/, "")).join("\u2013") }, () =>
        this.act.play(start),
      ),
    );
    find(this.reply, ".leans").replaceChildren(...(spans.length ? ["Leans most on ", ...spans] : []));
    this.rating.show(null);
    this.before.hidden = !others.length;
    find(this.before, "ul").replaceChildren(
      ...others.map((one) => make("li", {}, makeButton({ text: one.question }, () => this.look(one)))),
    );
  }

  /** @param {Outcome | null} outcome */
  rated(outcome) {
    const answer = this.answers.find((one) => one.id === outcome?.of);
    if (outcome && answer && this.rating.done(outcome)) answer.rating = outcome.rating ?? null;
  }
}
