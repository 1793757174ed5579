// The routing of a clip in figures: compared with what is typical, and with another answer's.

import { fixed, mean, percent, shareMoved } from "../numbers.js";
import { make } from "./make.js";

/** @import { Trace } from "../trace.js" */
/** @import { RouterHealth } from "../types.js" */

const EVEN = 1.5; // times an even share, up to which no expert stands out
const NEAR = 0.25; // of the weight apart, up to which a clip is routed as its kind is

/** A class of the style sheet, a sentence, and the measure behind it.
 *  @typedef {["hint" | "warning", string, string?]} Remark */

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

/** What the experts did in this clip, in sentences; and, to open, the share of each beside what is typical for a kind
 *  of sound. `health` is the router's state when the model had loaded, if that is known.
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
  const found = remarks(trace, load);
  if (health && health.fingerprint === trace.fingerprint) found.push(healthRemark(health));
  const sentences = found.map(([name, text, title]) => make("p", { class: name, text, ...(title && { title }) }));
  const shares = make("details", { class: "shares-of-experts" }, make("summary", { text: "Share of each expert" }));
  shares.append(make("table", {}, make("thead", {}, head), body));
  if (typical.length) {
    shares.append(make("p", { class: "hint", text: "Beside it: the typical share of each kind in the evaluation." }));
  }
  return [make("h3", { text: "Experts in this clip" }), ...sentences, shares];
}

/** One sentence about the router as it was when the model had loaded. @param {RouterHealth} health @returns {Remark} */
function healthRemark({ experts, distinct, load, entropy_bits: entropy, dead, collapsed }) {
  const measured = `Load ${load.map(percent).join(", ")} over random tokens, ${fixed(entropy, 2)} bits a token.`;
  const faults = [
    ...(distinct ? [] : ["its experts gave the same output"]),
    ...dead.map((name) => `${name} did nothing`),
    ...(collapsed && distinct ? ["one expert did it all"] : []),
  ];
  if (faults.length) {
    return ["warning", `The router was not well when the model loaded: ${faults.join(", ")}.`, measured];
  }
  return ["hint", `When the model loaded, all of its ${experts.length} experts worked, each in its own way.`, measured];
}

/** Sentences about the load: the nearest kind, who does most, and a warning when one expert does it all.
 *  @param {Trace} trace @param {number[]} load @returns {Remark[]} */
export function remarks(trace, load) {
  const most = load.indexOf(Math.max(...load));
  /** @param {number[]} shares */
  const distance = (shares) => shareMoved(load, shares);
  const kinds = Object.entries(trace.router?.typical ?? {});
  const [nearest] = kinds.sort((one, other) => distance(one[1]) - distance(other[1]));
  const imbalance = load[most] * load.length;
  const name = trace.experts[most];
  const works = imbalance < EVEN ? "All experts take part about evenly" : `Most of the work is done by ${name}`;
  /** @type {Remark[]} */
  const found = [["hint", `${works}.`, `Load imbalance: ${name} carries ${fixed(imbalance, 2)} times an even share.`]];
  if (nearest) {
    const apart = distance(nearest[1]);
    const text = `The clip is routed ${apart < NEAR ? "as" : "most like, but not as,"} ${nearest[0]} usually is.`;
    const measure = `${percent(apart)} of the weight goes to other experts than is typical of ${nearest[0]}.`;
    found.push(["hint", text, measure]);
  }
  if (load[most] > trace.collapsed) {
    const alone = `${name} takes nearly all of this clip (${percent(load[most])})`;
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
  const loads = `The load over the whole evaluation: ${load.map(percent).join(", ")}.`;
  if (Math.max(...load) > trace.collapsed || load.some((share) => share < trace.dead)) {
    const collapse = "Collapse: over the whole evaluation an expert does nothing, or one does it all.";
    return ["warning", `${collapse} The routing says nothing about a clip.`, loads];
  }
  return ["hint", "Over the whole evaluation every expert is used, and none does it all.", loads];
}
