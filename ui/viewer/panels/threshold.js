// The threshold's slider, and how much is redundant by it.

import { fixed, percent } from "../numbers.js";
import { make } from "./make.js";

/** @import { Viewer } from "../viewer.js" */

/** @param {Viewer} viewer */
export function takeThreshold(viewer) {
  const { slider, own } = viewer.elements;
  slider.addEventListener("input", () => viewer.setThreshold(Number(slider.value)));
  own.addEventListener("click", () => {
    const { threshold } = viewer.shown.trace;
    slider.value = String(threshold);
    viewer.setThreshold(threshold);
  });
}

/** Count again after the threshold has moved. @param {Viewer} viewer */
export function showShares({ root, elements, shown: { trace }, threshold }) {
  const { kept, redundant } = trace.split(threshold);
  const total = kept.seconds + redundant.seconds;
  /** @param {string} name @param {{tokens: number, seconds: number}} side */
  const share = (name, { tokens, seconds }) =>
    `${name} ${percent(seconds / total)}, ${tokens} tokens, ${fixed(seconds, 1)} s`;
  const texts = [
    make("b", { class: "value", text: fixed(threshold, 2) }),
    make("span", { class: "kept", text: share("kept", kept) }),
    make("span", { class: "dropped", text: share("redundant", redundant) }),
    make("span", { class: "hint", text: `scored under ${trace.supervision}` }),
  ];
  if (trace.pruned) {
    const unread = trace.tokens.dropped.filter(Boolean).length;
    texts.push(make("span", { class: "hint", text: `hatched: ${unread} tokens that the language model did not read` }));
  }
  elements.shares.replaceChildren(...texts);
  elements.slider.setAttribute("aria-valuetext", texts.map((part) => part.textContent).join(", "));
  elements.own.hidden = threshold === trace.threshold;
  root.dataset.threshold = String(threshold);
  root.dataset.redundant = String(redundant.tokens);
}
