// The form below an answer about a recording: what its owner thinks of it. Nothing that is typed is lost when it cannot
// be saved, another answer is looked at, or the page is reloaded.

import { find, findKind } from "../../../viewer/panels/make.js";
import { NO_RATING, RatingDrafts } from "./rating_drafts.js";

/** @import { Rating } from "./rating_drafts.js" */
/** What came of saving or withdrawing a rating `of` an answer.
 *  @typedef {{of: string, turn: number, rating?: Rating | null, line?: string, problem?: string}} Outcome */

export class RecordingRating {
  /** @param {HTMLElement} root
   *  @param {{save: (of: string, rating: Rating) => void, withdraw: (of: string) => void}} act */
  constructor(root, act) {
    this.form = findKind(root, "form.rate", HTMLFormElement);
    this.note = find(this.form, ".note");
    this.drafts = new RatingDrafts(() => sessionStorage);
    /** The answer below which it stands. @type {{id: string, rating: Rating | null} | null} */
    this.answer = null;
    /** On its way to the server, by the answer's id; null is a withdrawal. @type {Map<string, Rating | null>} */
    this.sent = new Map();
    this.form.addEventListener("input", () => {
      if (this.answer) this.drafts.keep(this.answer.id, this.typed());
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.answer || this.isLost()) return;
      this.sent.set(this.answer.id, this.typed());
      act.save(this.answer.id, this.typed());
    });
    find(this.form, ".withdraw").addEventListener("click", () => {
      if (!this.answer || this.isLost()) return;
      this.sent.set(this.answer.id, null);
      act.withdraw(this.answer.id);
    });
  }

  /** Stand below an answer; null hides it. @param {{id: string, rating: Rating | null} | null} answer */
  show(answer) {
    this.answer = answer;
    this.form.hidden = !answer;
    if (!answer) return;
    const draft = this.drafts.of(answer.id);
    this.fill(draft ?? answer.rating ?? NO_RATING);
    this.say(draft ? "Not saved yet." : answer.rating ? "Saved earlier. You can change or withdraw it." : "");
    this.drawButtons();
  }

  /** Of any answer, also one that is no longer shown; true when its rating is another now. @param {Outcome} outcome */
  done(outcome) {
    const { of, problem, line = "", rating = null } = outcome;
    const sent = this.sent.get(of);
    if (!this.sent.delete(of)) return false; // known already
    if (!problem && sent) this.drafts.saved(of, sent);
    if (!problem && !sent) this.drafts.drop(of);
    if (this.answer?.id !== of) return !problem;
    if (!problem) this.answer.rating = rating;
    if (!problem && !rating) this.fill(NO_RATING);
    this.say(problem ?? line, Boolean(problem));
    this.drawButtons();
    return !problem;
  }

  isLost() {
    const lost = document.documentElement.dataset.connection === "lost";
    this.say(lost ? "The connection is lost. What you typed stays here; save it again later." : "Saving…", lost);
    return lost;
  }

  drawButtons() {
    const rated = Boolean(this.answer?.rating);
    find(this.form, "[type=submit]").textContent = rated ? "Save changes" : "Save rating";
    find(this.form, ".withdraw").hidden = !rated;
  }

  /** @param {string} sentence */
  say(sentence, isProblem = false) {
    this.note.textContent = sentence;
    this.note.classList.toggle("problem-line", isProblem);
  }

  /** @returns {Rating} */
  typed() {
    const values = new FormData(this.form);
    const [thumb, score] = ["thumb", "score"].map((name) => values.get(name)).map((of) => (of ? Number(of) : null));
    const [correction, comment] = ["correction", "comment"].map((name) => String(values.get(name) ?? ""));
    return { thumb, score, correction, comment };
  }

  /** @param {Rating} rating */
  fill(rating) {
    for (const input of this.form.querySelectorAll("input")) {
      const value = input.name === "thumb" ? rating.thumb : rating.score;
      input.checked = Number(input.value) === value;
    }
    findKind(this.form, "[name=correction]", HTMLTextAreaElement).value = rating.correction ?? "";
    findKind(this.form, "[name=comment]", HTMLTextAreaElement).value = rating.comment ?? "";
  }
}
