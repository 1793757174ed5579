// The parts of the viewer that are text: tooltip, table, experts, keys. All text is set as text, never as markup.

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

const KEYS = [
  ["← →", "previous or next token; with Shift ten tokens"],
  ["Home End", "first or last token"],
  ["Enter", "play the token"],
  ["Space", "play or pause"],
  ["+ − 0", "zoom in, out, whole clip"],
  ["Page ↑ ↓", "move the view"],
  ["L", "loop"],
  ["Esc", "let go of the token and the span"],
  ["?", "this list"],
  ["click", "lock a token and play it"],
  ["drag", "play a span"],
  ["wheel", "zoom, once the picture is clicked or with Ctrl; with Shift move"],
];

function keyList() {
  const list = make("dl");
  for (const [keys, what] of KEYS) list.append(make("div", {}, make("dt", { text: keys }), make("dd", { text: what })));
  return list;
}

/** Every value of one token, as the tooltip shows it. `sound` is the level under the pointer, if any. */
function tipOf(trace, index, threshold, sound, versus) {
  const tokens = trace.tokens;
  const redundant = trace.redundant(index, threshold);
  const rows = (pairs, name) =>
    make("dl", { class: name }, ...pairs.flatMap(([key, value]) => [make("dt", { text: key }), make("dd", { text: value })]));
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
  const anchor = rows([["word", word ? `“${word}”` : "no word here"]]);
  return [head, experts, scores, parts, anchor, ...(sound ? [rows([["sound", sound]])] : []), ...against, flag];
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

/** What sets another answer's trace apart, in words; token by token when both heard the same sound. */
function difference(trace, other, moved) {
  if (!moved) {
    const apart = trace.load().reduce((sum, share, e) => sum + Math.abs(share - (other.load()[e] ?? 0)) / 2, 0);
    return `The other answer heard another sound: it is shown below. The experts' shares are ${percent(apart)} apart.`;
  }
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const most = moved.indexOf(Math.max(...moved));
  const turned = moved.filter((_, i) => trace.redundant(i, trace.threshold) !== other.redundant(i, other.threshold));
  const scores = trace.tokens.significance.map((value, i) => Math.abs(value - other.tokens.significance[i]));
  return (
    `Against the other answer, ${fixed(100 * mean(moved), 1)} % of a token's weight goes to other experts on average, ` +
    `most at ${fixed(trace.tokens.start[most], 2)} s (${fixed(100 * moved[most], 1)} %). Significance differs by ` +
    `${fixed(mean(scores), 3)}; ${turned.length} of ${trace.count} tokens change between kept and redundant.`
  );
}

/** Share of each expert in this clip beside what is typical for a kind of sound, and what to make of it. */
function expertPanel(trace) {
  const load = trace.load();
  const typical = Object.entries(trace.router?.typical ?? {});
  const heads = ["Expert", "This clip", ...typical.map(([kind]) => kind)];
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })))));
  const body = make("tbody");
  trace.experts.forEach((name, e) => {
    const colour = trace.colours[e % trace.colours.length];
    const bar = make("span", { class: "track" }, make("i", { style: { width: `${100 * load[e]}%`, background: colour } }));
    const row = make("tr", {}, make("th", { scope: "row" }, make("i", { class: "dot", style: { background: colour } }), name));
    row.append(make("td", {}, make("div", { class: "here" }, bar, make("b", { text: percent(load[e]) }))));
    row.append(...typical.map(([, shares]) => make("td", { text: percent(shares[e]) })));
    body.append(row);
  });
  table.append(body);
  const heading = make("h3", { text: "Experts in this clip" });
  const caption = typical.length ? [make("p", { class: "hint", text: "Beside it: the typical share of each kind in the evaluation." })] : [];
  return [heading, table, ...caption, ...remarks(trace, load).map(([name, text]) => make("p", { class: name, text }))];
}

/** Sentences about the load: the nearest kind, the imbalance, and a warning when one expert does it all. */
function remarks(trace, load) {
  const most = load.indexOf(Math.max(...load));
  const said = [];
  const distance = (shares) => shares.reduce((sum, share, e) => sum + Math.abs(share - load[e]) / 2, 0);
  const kinds = Object.entries(trace.router?.typical ?? {}).sort((one, other) => distance(one[1]) - distance(other[1]));
  const nearest = kinds[0];
  const imbalance = load[most] * load.length;
  said.push([
    "hint",
    `Load imbalance: ${trace.experts[most]} carries ${fixed(imbalance, 2)} times an even share.` +
      (nearest ? ` The routing is nearest to that of ${nearest[0]}, ${percent(distance(nearest[1]))} of the weight apart.` : ""),
  ]);
  const router = trace.router;
  if (load[most] > trace.collapsed) {
    const usual = nearest && nearest[1][most] > trace.collapsed;
    const alone = `${trace.experts[most]} takes nearly all of this clip (${percent(load[most])}).`;
    said.push(
      usual
        ? ["hint", `${alone} That is usual for ${nearest[0]} (${percent(nearest[1][most])}): the expert is specialised.`]
        : ["warning", `Collapse: ${alone} The other experts hardly matter here.`],
    );
  }
  if (router) {
    const overall = Math.max(...router.load);
    const dead = trace.experts.filter((_, e) => router.load[e] < router.dead);
    const loads = router.load.map(percent).join(", ");
    if (overall > trace.collapsed || dead.length) {
      said.push(["warning", `The router is unwell: over the whole evaluation its load is ${loads}.`]);
    } else said.push(["hint", `Over the whole evaluation the load is ${loads}: no expert is dead, none does it all.`]);
  }
  return said;
}
