// The parts of the viewer that are text: tooltip and table. All text is set as text, never as markup.

/** An element: `make("p", {class: "note", text: words}, child, ...)`. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name === "style") Object.entries(value).forEach(([key, setting]) => element.style.setProperty(key, setting));
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Every value of one token, as the tooltip shows it. `sound` is the level under the pointer, if any. */
function tipOf({ trace, threshold, against: versus, leaning }, index, sound) {
  const tokens = trace.tokens;
  const redundant = trace.redundant(index, threshold);
  const rows = (pairs, name) =>
    make("dl", { class: name }, ...pairs.flatMap(([dt, dd]) => [make("dt", { text: dt }), make("dd", { text: dd })]));
  const head = make(
    "p",
    { class: "when" },
    make("b", { text: `${fixed(tokens.start[index], 2)}–${fixed(tokens.end[index], 2)} s` }),
    make("span", { text: `token ${index + 1} of ${trace.count}` }),
  );
  const word = tokens.word[index].trim();
  const experts = make("dl", { class: "weights" });
  trace.experts.forEach((name, e) => {
    const weight = tokens.routing[index][e];
    const colour = trace.colours[e % trace.colours.length];
    const bar = make("i", { style: { width: `${100 * weight}%`, background: colour } });
    experts.append(make("dt", { text: name }), make("dd", {}, make("span", { class: "track" }, bar), fixed(weight, 3)));
  });
  const scores = rows([
    ["entropy", `${fixed(tokens.entropy[index], 2)} bits`],
    ["significance", fixed(tokens.significance[index], 3)],
  ]);
  const parts = rows(
    [
      ["predictive", fixed(tokens.predictive[index], 3)],
      ["text relevance", fixed(tokens.text_relevance[index], 3)],
      ["audio saliency", fixed(tokens.audio_saliency[index], 3)],
    ],
    "parts",
  );
  const flag = make("p", {
    class: redundant ? "flag redundant" : "flag",
    text: `${redundant ? "redundant: at most" : "kept: above"} ${fixed(threshold, 2)}`,
  });
  const against = !versus ? [] : [rows([
    ["weight moved", fixed(versus.moved[index], 3)],
    ["other significance", fixed(versus.trace.tokens.significance[index], 3)],
  ])];
  const leaned = !leaning ? [] : [rows([[`“${leaning.word.text}”`, `${fixed(leaning.scores[index], 3)} nats`]])];
  const anchor = rows([["word", word ? `“${word}”` : "no word here"]]);
  return [head, experts, scores, parts, anchor, ...(sound ? [rows([["sound", sound]])] : []), ...against, ...leaned, flag];
}

/** The numbers of every token as a table; the same as in the CSV. */
function tableOf(trace, threshold) {
  const tokens = trace.tokens;
  const heads = ["token", "from s", "to s", ...trace.experts, "entropy bits", "significance", "predictive"];
  heads.push("text relevance", "audio saliency", "redundant", "word");
  const body = make("tbody");
  for (let i = 0; i < trace.count; i++) {
    const numbers = [fixed(tokens.start[i], 2), fixed(tokens.end[i], 2)];
    numbers.push(...tokens.routing[i].map((weight) => fixed(weight, 3)));
    for (const name of ["entropy", "significance", "predictive", "text_relevance", "audio_saliency"]) {
      numbers.push(fixed(tokens[name][i], 3));
    }
    numbers.push(trace.redundant(i, threshold) ? "yes" : "", tokens.word[i].trim());
    body.append(
      make("tr", {}, make("th", { scope: "row", text: i + 1 }), ...numbers.map((text) => make("td", { text }))),
    );
  }
  const row = make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })));
  return make("table", {}, make("thead", {}, row), body);
}
