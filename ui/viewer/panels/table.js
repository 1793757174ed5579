// The numbers of every token as a table; the same as in the CSV.

import { fixed } from "../numbers.js";
import { make } from "./make.js";

/** @import { Trace } from "../trace.js" */
/** @import { TokenWord } from "../types.js" */

const SCORES = /** @type {const} */ (["entropy", "significance", "predictive", "text_relevance", "audio_saliency"]);
const HEADS = [
  "entropy bits", "significance", "predictive", "text relevance", "audio saliency", "redundant", "word", "not read",
  "words",
];

/** @param {TokenWord} word */
const wordCell = ({ expert, text, confidence }) => `${text} (${expert}, ${fixed(confidence, 2)})`;

/** @param {Trace} trace @param {number} threshold */
export function tokenTable(trace, threshold) {
  const { tokens } = trace;
  const body = make("tbody");
  for (let index = 0; index < trace.count; index++) {
    const cells = [
      ...trace.interval(index).map((time) => fixed(time, 2)),
      ...tokens.routing[index].map((weight) => fixed(weight, 3)),
      ...SCORES.map((name) => fixed(tokens[name][index], 3)),
      trace.redundant(index, threshold) ? "yes" : "",
      tokens.word[index].trim(),
      tokens.dropped[index] ? "yes" : "",
      tokens.words[index].map(wordCell).join("; "),
    ];
    const number = make("th", { scope: "row", text: index + 1 });
    body.append(make("tr", {}, number, ...cells.map((text) => make("td", { text }))));
  }
  const heads = ["token", "from s", "to s", ...trace.experts, ...HEADS];
  const row = make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })));
  return make("table", {}, make("thead", {}, row), body);
}
