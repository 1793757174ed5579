// Flagged tokens judged by ear: each is played alone, in any order, and a person says whether it mattered. Some that
// are not flagged are among them, and nothing on the picture tells which is which, so that nobody can guess.

const CONTROLS = 4; // flagged tokens for each that is not
const AROUND = 0.4; // seconds on either side, where a token is played with what surrounds it
const VERDICTS = [["mattered", "did matter"], ["did_not", "did not"], ["unclear", "cannot tell"]];

function shuffled(items) {
  const drawn = [...items];
  for (let i = drawn.length - 1; i > 0; i--) {
    const other = Math.floor(Math.random() * (i + 1));
    [drawn[i], drawn[other]] = [drawn[other], drawn[i]];
  }
  return drawn;
}

class Verdicts {
  /** `save(verdicts)`, by token, null for one that is taken back, tells the server. */
  constructor(viewer, save) {
    Object.assign(this, { viewer, save, saved: {}, unsaved: {}, queue: [], at: 0, judging: false });
    this.button = make("button", { type: "button", class: "judge", text: "Judge by ear", hidden: "" });
    this.button.addEventListener("click", () => this.begin());
    viewer.own.after(this.button);
    this.panel = make("section", { class: "verdicts", tabindex: "-1", "aria-label": "Judge tokens by ear", hidden: "" });
    viewer.root.querySelector(".picture").before(this.panel);
    this.panel.addEventListener("keydown", (event) => this.key(event));
    this.build();
  }

  build() {
    this.count = make("p", { class: "count", "aria-live": "polite" });
    const button = (key, text, act, name = "") => {
      const made = make("button", { type: "button", class: name }, make("kbd", { text: key }), text);
      made.addEventListener("click", () => {
        act();
        this.panel.focus({ preventScroll: true });
      });
      return made;
    };
    this.choices = VERDICTS.map(([verdict, text], i) => button(i + 1, text, () => this.judge(verdict), "choice"));
    this.asked = make("p", { class: "asked" });
    this.problem = make("p", { class: "problem", role: "alert" });
    this.panel.append(
      make("div", { class: "head" }, make("h3", { text: "Did this sound matter to the answer?" }), this.count),
      this.asked,
      make("div", { class: "row" }, ...this.choices),
      make(
        "div",
        { class: "row" },
        button("Space", "again", () => this.play()),
        button("C", "with what surrounds it", () => this.play(AROUND)),
        button("Z", "back", () => this.back()),
        button("Esc", "end", () => this.end()),
      ),
      make("p", {
        class: "hint",
        text:
          "One token is played alone, then the next, in no order. Most are what SACLM holds redundant, some are not, " +
          "and the picture does not tell which.",
      }),
      this.problem,
    );
  }

  /** Another answer is shown, whose verdicts are not known yet. */
  clear() {
    this.end();
    Object.assign(this, { saved: {}, unsaved: {} });
    this.button.hidden = true;
  }

  /** What the server keeps of this answer, and the question with it. */
  show(saved, { question, answer }) {
    this.saved = saved;
    this.asked.replaceChildren(make("span", { text: question }), make("b", { text: answer }));
    this.unsaved = {};
    this.button.hidden = !this.flagged().length;
    this.label();
  }

  /** The answer to what was sent. What is not saved yet is sent again with the next verdict. */
  answered(saved, problem) {
    this.problem.textContent = problem ?? "";
    if (problem) return;
    this.saved = saved;
    for (const [token, verdict] of Object.entries(this.unsaved)) {
      if ((saved[token] ?? null) === verdict) delete this.unsaved[token];
    }
    this.label();
  }

  label() {
    const judged = Object.keys(this.saved).length;
    this.button.textContent = judged ? `Judge by ear (${judged} judged)` : "Judge by ear";
    this.viewer.root.dataset.judged = judged;
  }

  flagged() {
    const { trace } = this.viewer;
    return [...Array(trace.count).keys()].filter((index) => trace.redundant(index, trace.threshold));
  }

  /** Go through the tokens that are not judged yet or, when all are, through all again. */
  begin() {
    const flagged = this.flagged();
    const kept = [...Array(this.viewer.trace.count).keys()].filter((index) => !flagged.includes(index));
    const left = (tokens) => tokens.filter((index) => !(index in this.saved));
    const [asked, others] = left(flagged).length ? [left(flagged), left(kept)] : [flagged, kept];
    const controls = shuffled(others).slice(0, Math.ceil(asked.length / CONTROLS));
    Object.assign(this, { queue: shuffled([...asked, ...controls]), at: 0, judging: true });
    this.viewer.release();
    this.viewer.root.classList.add("blind");
    this.problem.textContent = "";
    this.panel.hidden = false;
    this.panel.focus();
    this.panel.scrollIntoView({ block: "nearest" });
    this.next();
  }

  next() {
    if (this.at >= this.queue.length) return this.end("All of them are judged. Thank you.");
    this.count.textContent = `${this.at + 1} of ${this.queue.length}`;
    const said = this.unsaved[this.token] ?? this.saved[this.token];
    this.choices.forEach((choice, i) => choice.setAttribute("aria-pressed", String(VERDICTS[i][0] === said)));
    this.play();
  }

  get token() {
    return this.queue[this.at];
  }

  play(around = 0) {
    const { trace } = this.viewer;
    const [start, end] = [trace.tokens.start[this.token], trace.tokens.end[this.token]];
    this.viewer.playSpans([[Math.max(start - around, trace.first), Math.min(end + around, trace.last)]], false);
  }

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

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = { " ": () => this.play(), r: () => this.play(), c: () => this.play(AROUND) };
    Object.assign(actions, { z: () => this.back(), Escape: () => this.end() });
    VERDICTS.forEach(([verdict], i) => (actions[i + 1] = () => this.judge(verdict)));
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || event.repeat) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}
