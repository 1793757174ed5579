// The words of the answer, to choose whose attribution is drawn.

import { make, makeButton } from "./make.js";

/** @import { Viewer } from "../viewer.js" */
/** @import { WordAttribution } from "../types.js" */

const SMALLEST_SCALE = 1e-3; // nats: less is rounding, and shall not fill the lane

/** Offer the words to choose from; the one that depends most on a single token is drawn at first.
 *  @param {Viewer} viewer @param {WordAttribution[]} words */
export function offerWords(viewer, words) {
  const element = viewer.elements.words;
  // All words have one scale, so that they can be compared.
  const highest = Math.max(...words.flatMap(({ scores }) => scores.map(Math.abs)), SMALLEST_SCALE);
  /** @param {WordAttribution | null} word */
  const pick = (word) => {
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(words[index] === word)));
    viewer.setAttribution(word && { word, scores: word.scores, highest });
  };
  const buttons = words.map((word) =>
    makeButton({ "aria-pressed": "false", text: word.text }, () =>
      pick(viewer.attribution?.word === word ? null : word),
    ),
  );
  element.replaceChildren(make("span", { class: "name", text: "Attribution of" }), ...buttons);
  element.hidden = !words.length;
  /** @param {WordAttribution} word */
  const most = ({ scores }) => Math.max(...scores);
  pick(words.toSorted((one, other) => most(other) - most(one))[0] ?? null);
}
