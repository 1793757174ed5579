// Every value of one token, beside the pointer.

import { clamp, fixed } from "../numbers.js";
import { make, makePairs } from "./make.js";

/** @import { SpokenWord } from "../drawing/word_layout.js" */
/** @import { Viewer } from "../viewer.js" */

/** Fill the tooltip and put it beside a place on the picture.
 *  @param {Viewer} viewer @param {number} token
 *  @param {{x: number, y: number, sound: string | null, word: SpokenWord | null}} place `sound` is the level and `word`
 *    the word under the pointer, if any */
export function showTooltip(viewer, token, { x, y, sound, word }) {
  const { tip, stage } = viewer.elements;
  tip.hidden = false;
  tip.replaceChildren(...(word ? [spokenWord(word)] : []), ...tooltip(viewer, token, sound));
  const room = stage.clientWidth;
  const { offsetWidth: width, offsetHeight: height } = tip;
  const left = x + 18 + width <= room ? x + 18 : x - 18 - width;
  tip.style.left = `${clamp(left, 0, Math.max(0, room - width))}px`;
  tip.style.top = `${clamp(y - height / 2, 0, Math.max(0, viewer.shown.plan.height - height))}px`;
}

/** @param {Viewer} viewer @param {number} index @param {string | null} sound */
function tooltip({ shown: { trace }, threshold, against, attribution }, index, sound) {
  const tokens = trace.tokens;
  const [start, end] = trace.interval(index);
  const redundant = trace.redundant(index, threshold);
  const word = tokens.word[index].trim();
  const parts = [
    make(
      "p",
      { class: "when" },
      make("b", { text: `${fixed(start, 2)}–${fixed(end, 2)} s` }),
      make("span", { text: `token ${index + 1} of ${trace.count}` }),
    ),
    weights(trace, index),
    makePairs([
      ["entropy", `${fixed(tokens.entropy[index], 2)} bits`],
      ["significance", fixed(tokens.significance[index], 3)],
    ]),
    makePairs(
      [
        ["predictive", fixed(tokens.predictive[index], 3)],
        ["text relevance", fixed(tokens.text_relevance[index], 3)],
        ["audio saliency", fixed(tokens.audio_saliency[index], 3)],
      ],
      "parts",
    ),
    makePairs([["word", word ? `“${word}”` : "no word here"]]),
  ];
  const spoken = tokens.words[index];
  if (spoken.length) {
    parts.push(
      makePairs(spoken.map(({ expert, text, confidence }) => [expert, `“${text}” ${fixed(confidence, 2)}`])),
    );
  }
  if (sound) parts.push(makePairs([["sound", sound]]));
  if (against) {
    parts.push(
      makePairs([
        ["weight moved", fixed(against.moved[index], 3)],
        ["other significance", fixed(against.trace.tokens.significance[index], 3)],
      ]),
    );
  }
  if (attribution) {
    parts.push(makePairs([[`“${attribution.word.text}”`, `${fixed(attribution.scores[index], 3)} nats`]]));
  }
  const flag = `${redundant ? "redundant: at most" : "kept: above"} ${fixed(threshold, 2)}`;
  parts.push(make("p", { class: redundant ? "flag redundant" : "flag", text: flag }));
  if (trace.unread(index)) {
    parts.push(make("p", { class: "unread", text: "Not read: the language model was not given this token." }));
  }
  return parts;
}

/** @param {SpokenWord} word */
function spokenWord({ name, text, confidence }) {
  const says = make("span", { text: `${name}, confidence ${fixed(confidence, 2)}` });
  return make("p", { class: "spoken" }, make("b", { text: `“${text}”` }), " ", says);
}

/** The routing weight of each expert as a bar. @param {Viewer["shown"]["trace"]} trace @param {number} index */
function weights(trace, index) {
  const list = make("dl", { class: "weights" });
  trace.experts.forEach((name, expert) => {
    const weight = trace.tokens.routing[index][expert];
    const bar = make("i", { style: { width: `${100 * weight}%`, background: trace.colourOf(expert) } });
    const track = make("span", { class: "track" }, bar);
    list.append(make("dt", { text: name }), make("dd", {}, track, fixed(weight, 3)));
  });
  return list;
}
