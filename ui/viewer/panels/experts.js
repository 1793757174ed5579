// The routing of a clip in figures: compared with what is typical, and with another answer's.

import { fixed, mean, percent, shareMoved } from "../numbers.js";
import { make } from "./make.js";

/** @import { Trace } from "../trace.js" */
/** @import { RouterHealth } from "../types.js" */

/** A class of the style sheet, and a sentence. @typedef {["hint" | "warning", string]} Remark */

/** Another answer that is compared with this one: its question and text where they differ, and its model.
 *  @param {Trace} trace @param {Trace} other */
export function otherAnswer(trace, other) {
  /** @type {(Node | string)[]} */
  const parts = [make("b", { text: "Other answer: " }), `“${other.answer}”`];
  if (other.question !== trace.question) parts.push(` to “${other.question}”`);
  const sameCheckpoint = other.fingerprint === trace.fingerprint;
  /** @param {Trace} trace */
  const name = ({ model, fingerprint }) => (sameCheckpoint ? model : `${model}, checkpoint ${fingerprint.slice(0, 6)}`);
  if (name(other) !== name(trace)) parts.push(` by ${name(other)}; this one by ${name(trace)}`);
  return make("p", {}, ...parts);
}

/** How another answer's trace differs, in words; token by token when both heard the same sound.
 *  @param {Trace} trace @param {Trace} other @param {number[] | null} moved */
export function difference(trace, other, moved) {
  if (!moved) {
    const apart = shareMoved(trace.load(), other.load());
    return `The other answer heard another sound: it is shown below. The experts' shares are ${percent(apart)} apart.`;
  }
  const most = moved.indexOf(Math.max(...moved));
  const turned = moved.filter((_, i) => trace.redundant(i, trace.threshold) !== other.redundant(i, other.threshold));
  const scores = trace.tokens.significance.map((value, i) => Math.abs(value - other.tokens.significance[i]));
  return (
    `Against the other answer, ${fixed(100 * mean(moved), 1)} % of a token's weight goes to other experts on ` +
    `average, most at ${fixed(trace.tokens.start[most], 2)} s (${fixed(100 * moved[most], 1)} %). Significance ` +
    `differs by ${fixed(mean(scores), 3)}; ${turned.length} of ${trace.count} tokens change between kept and redundant.`
  );
}

/** Share of each expert in this clip beside what is typical for a kind of sound, and what to make of it. `health` is
 *  the router's state when the model had loaded, if that is known.
 *  @param {Trace} trace @param {RouterHealth | null} health */
export function expertPanel(trace, health) {
  const load = trace.load();
  const typical = Object.entries(trace.router?.typical ?? {});
  const heads = ["Expert", "This clip", ...typical.map(([kind]) => kind)];
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })));
  const body = make("tbody");
  trace.experts.forEach((name, e) => {
    const colour = trace.colourOf(e);
    const filled = make("i", { style: { width: `${100 * load[e]}%`, background: colour } });
    const bar = make("span", { class: "track" }, filled);
    const dot = make("i", { class: "dot", style: { background: colour } });
    const row = make("tr", {}, make("th", { scope: "row" }, dot, name));
    row.append(make("td", {}, make("div", { class: "here" }, bar, make("b", { text: percent(load[e]) }))));
    row.append(...typical.map(([, shares]) => make("td", { text: percent(shares[e]) })));
    body.append(row);
  });
  /** @type {Remark[]} */
  const sentences = [];
  if (typical.length) sentences.push(["hint", "Beside it: the typical share of each kind in the evaluation."]);
  sentences.push(...remarks(trace, load));
  if (health && health.fingerprint === trace.fingerprint) sentences.push(healthRemark(health));
  return [
    make("h3", { text: "Experts in this clip" }),
    make("table", {}, make("thead", {}, head), body),
    ...sentences.map(([name, text]) => make("p", { class: name, text })),
  ];
}

/** One sentence about the router as it was when the model had loaded. @param {RouterHealth} health @returns {Remark} */
function healthRemark({ experts, distinct, load, entropy_bits: entropy, dead, collapsed }) {
  const loads = `load ${load.map(percent).join(", ")} over random tokens, ${fixed(entropy, 2)} bits a token`;
  const faults = [
    ...(distinct ? [] : ["its experts give the same output"]),
    ...dead.map((name) => `${name} is dead`),
    ...(collapsed && distinct ? ["one expert takes it all"] : []),
  ];
  if (faults.length) {
    return ["warning", `The router was not well when the model loaded: ${faults.join(", ")} (${loads}).`];
  }
  return ["hint", `When the model loaded, its ${experts.length} experts were distinct and alive: ${loads}.`];
}

/** Sentences about the load: the nearest kind, the imbalance, and a warning when one expert does it all.
 *  @param {Trace} trace @param {number[]} load @returns {Remark[]} */
export function remarks(trace, load) {
  const most = load.indexOf(Math.max(...load));
  /** @param {number[]} shares */
  const distance = (shares) => shareMoved(load, shares);
  const kinds = Object.entries(trace.router?.typical ?? {});
  const [nearest] = kinds.sort((one, other) => distance(one[1]) - distance(other[1]));
  const imbalance = load[most] * load.length;
  /** @type {Remark[]} */
  const found = [
    [
      "hint",
      `Load imbalance: ${trace.experts[most]} carries ${fixed(imbalance, 2)} times an even share.` +
        (nearest ? ` Nearest to ${nearest[0]}, ${percent(distance(nearest[1]))} of the weight apart.` : ""),
    ],
  ];
  if (load[most] > trace.collapsed) {
    const alone = `${trace.experts[most]} takes nearly all of this clip (${percent(load[most])})`;
    const leads = nearest && nearest[1][most] === Math.max(...nearest[1]);
    if (leads) found.push(["hint", `${alone}; it also carries most of ${nearest[0]} in the evaluation.`]);
    else if (nearest) found.push(["warning", `Unusual: ${alone}, yet most of ${nearest[0]} goes to another expert.`]);
    else {
      const unknown = "Without an evaluation that cannot be distinguished from a collapsed router.";
      found.push(["warning", `${alone}. ${unknown}`]);
    }
  }
  if (trace.router) found.push(evaluationRemark(trace, trace.router.load));
  return found;
}

/** Whether any expert was unused over the whole evaluation.
 *  @param {Trace} trace @param {number[]} load @returns {Remark} */
function evaluationRemark(trace, load) {
  const loads = load.map(percent).join(", ");
  if (Math.max(...load) > trace.collapsed || load.some((share) => share < trace.dead)) {
    const collapse = `Collapse: over the whole evaluation the load is ${loads}.`;
    return ["warning", `${collapse} The routing says nothing about a clip.`];
  }
  return ["hint", `Over the whole evaluation the load is ${loads}: no expert is dead, none does it all.`];
}
