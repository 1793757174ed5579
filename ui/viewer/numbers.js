// Numbers as text, and the little arithmetic that all scripts share.

/** @param {number} value @param {number} digits */
export const fixed = (value, digits) => value.toFixed(digits);

/** @param {number} share */
export const percent = (share) => `${Math.round(100 * share)} %`;

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** @param {number[]} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Half the summed differences: the share of weight that lies elsewhere. A missing weight is 0.
 *  @param {number[]} weights @param {number[]} others */
export const shareMoved = (weights, others) =>
  weights.reduce((sum, weight, e) => sum + Math.abs(weight - (others[e] ?? 0)) / 2, 0);

/** With a true minus, and without a sign that only rounding left.
 *  @param {number} value @param {number} digits */
export function signed(value, digits) {
  const size = fixed(Math.abs(value), digits);
  return Number(size) === 0 ? size : `${value < 0 ? "−" : "+"}${size}`;
}
