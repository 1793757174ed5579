// A question about all of a recording, its answer as it is written, and the spans that the answer leans on.

import { find, findKind, makeButton } from "../../../viewer/panels/make.js";
import { clock } from "../span/span.js";

/** As the server sends it. `turn` names the question; `line` says how far the answer is; `leans`: spans in seconds.
 *  @typedef {{turn: number, line: string, text: string, leans: [number, number][], done: boolean}} WholeAnswer */

export class RecordingQuestion {
  /** @param {HTMLElement} root
   *  @param {{ask: (text: string) => number, stop: () => void, play: (time: number) => void}} act `ask` returns its
   *    turn */
  constructor(root, act) {
    this.act = act;
    this.form = findKind(root, "form.question", HTMLFormElement);
    this.reply = find(root, ".reply");
    this.field = findKind(this.form, "input", HTMLInputElement);
    this.turn = -1;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.reply.hidden = false;
      this.turn = act.ask(this.field.value);
      this.show({ turn: this.turn, line: "Waiting for the model\u2026", text: "", leans: [], done: false });
    });
    find(this.form, ".halt").addEventListener("click", () => act.stop());
  }

  clear() {
    this.turn = -1;
    this.reply.hidden = true;
    this.busy(false);
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
    this.busy(!answer.done);
    find(this.reply, ".progress-line").textContent = answer.line;
    find(this.reply, ".text").textContent = answer.text;
    const spans = answer.leans.map(([start, end]) =>
      makeButton({ text: [start, end].map((time) => clock(time).replace(/\.\d$/, "")).join("\u2013") }, () =>
        this.act.play(start),
      ),
    );
    find(this.reply, ".leans").replaceChildren(...(spans.length ? ["Leans most on ", ...spans] : []));
  }
}
