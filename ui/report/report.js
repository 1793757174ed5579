// The offline page: the viewer, with the question, the answer and the rating set as text above it.

import { fixed, mean, signed } from "../viewer/numbers.js";
import { find, findKind, make } from "../viewer/panels/make.js";
import { Marks } from "../viewer/panels/marks.js";
import { offerWords } from "../viewer/panels/words.js";
import { Viewer } from "../viewer/viewer.js";

/** @import { Mark } from "../viewer/types.js" */

/** A change that was tried: `words` are pieces of the diff, times in s, log-probabilities in nats per token.
 *  @typedef {{name: string, words: ["same" | "ins" | "del", string][], likelihood: number, dropped: number,
 *    tokens: number, saved: number}} Change */

/** @typedef {{rows: [string, number[]][], verdict: string, reference: string}} Deletion */

/** @typedef {{question: string, answer: string, history: {question: string, answer: string}[],
 *    facts: [string, string][], spans: Mark[], changes: Change[], deletion: Deletion | null}} Report */

/** @param {string} id */
const inPage = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

/** The conversation and the facts. @param {Report} report */
function write(report) {
  document.title = `U-SAM: ${report.question}`;
  for (const turn of report.history) {
    const [question, answer] = [turn.question, turn.answer].map((text) => make("p", { text }));
    question.className = "q";
    find(document, ".past").append(question, answer);
  }
  find(document, ".question").textContent = report.question;
  find(document, ".answer").textContent = report.answer || "The model gave no answer.";
  const facts = find(document, ".facts");
  for (const [name, value] of report.facts) {
    facts.append(make("div", {}, make("dt", { text: name }), make("dd", { text: value })));
  }
  const theme = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.body.classList.toggle("dark", theme.matches);
  theme.addEventListener("change", follow);
  follow();
}

/** What was tried under "What if": a row for every change, the latest last, and the deletion test.
 *  @param {Report} report */
function writeTried({ answer, changes, deletion }) {
  find(document, ".tried").hidden = !changes.length && !deletion;
  if (changes.length) writeChanges(answer, changes);
  if (deletion) find(document, ".deletion").append(...deletionRows(deletion));
}

/** @param {string} answer @param {Change[]} changes */
function writeChanges(answer, changes) {
  const table = findKind(document, ".changes", HTMLTableElement);
  table.hidden = false;
  /** @param {string} name @param {(Node | string)[]} words @param {string[]} numbers */
  const row = (name, words, ...numbers) => {
    const labels = ["Likelihood, nats per token", "Tokens dropped", "Reading time, s"];
    const cells = numbers.map((text, i) => make("td", { text, "data-label": labels[i] }));
    const head = make("th", { scope: "row", text: name });
    table.tBodies[0].append(make("tr", {}, head, make("td", { class: "words" }, ...words), ...cells));
  };
  row("as it was", [answer], "", "", "");
  for (const { name, words, likelihood, dropped, tokens, saved } of changes) {
    const pieces = words.flatMap(([kind, text]) => [kind === "same" ? text : make(kind, { text }), " "]);
    row(name, pieces, signed(likelihood, 3), dropped ? `${dropped} of ${tokens}` : "none", signed(-saved, 2));
  }
}

/** A strip for every condition, a dot for every measurement; further to the right the answer is likelier.
 *  @param {Deletion} deletion */
function deletionRows({ rows, verdict, reference }) {
  const all = rows.flatMap(([, values]) => values);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  /** @param {number} value */
  const place = (value) => `${high > low ? (100 * (value - low)) / (high - low) : 50}%`;
  const strips = rows.map(([name, values]) => {
    const dots = values.map((value) => make("i", { style: { left: place(value) }, title: fixed(value, 3) }));
    const head = make("th", { scope: "row", text: name });
    const strip = make("td", {}, make("span", { class: "strip" }, ...dots));
    return make("tr", {}, head, strip, make("td", { text: signed(mean(values), 3) }));
  });
  const heads = ["Deletion test", "", "nats per token"].map((text) => make("th", { scope: "col", text }));
  return [
    make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...strips)),
    make("p", { text: verdict }),
    make("p", { class: "hint", text: `Log-probability of “${reference}”` }),
  ];
}

/** @type {Report} */
const report = inPage("report");
write(report);
writeTried(report);
const viewer = new Viewer(find(document, ".viewer"));
viewer.show(inPage("trace").trace);
new Marks(viewer).show(report.spans);
offerWords(viewer, inPage("leaning")?.words ?? []);
