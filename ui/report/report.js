// The offline page: the viewer, with the question, the answer and the rating set as text above it.

const inPage = (id) => JSON.parse(document.getElementById(id).textContent);

function write() {
  const report = inPage("report");
  document.title = `U-SAM: ${report.question}`;
  for (const turn of report.history) {
    const [question, answer] = [turn.question, turn.answer].map((text) => make("p", { text }));
    question.className = "q";
    document.querySelector(".past").append(question, answer);
  }
  document.querySelector(".question").textContent = report.question;
  document.querySelector(".answer").textContent = report.answer || "The model said nothing.";
  const facts = document.querySelector(".facts");
  for (const [name, value] of report.facts) {
    facts.append(make("div", {}, make("dt", { text: name }), make("dd", { text: value })));
  }
  const theme = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.body.classList.toggle("dark", theme.matches);
  theme.addEventListener("change", follow);
  follow();
}

/** What was tried under "What if": a row for every change, the latest last, and the deletion test. */
function writeTried({ answer, changes, deletion }) {
  document.querySelector(".tried").hidden = !changes.length && !deletion;
  if (changes.length) writeChanges(answer, changes);
  if (deletion) document.querySelector(".deletion").append(...deletionRows(deletion));
}

function writeChanges(answer, changes) {
  const table = document.querySelector(".changes");
  table.hidden = false;
  const row = (name, words, ...numbers) => {
    const labels = ["Likelihood, nats per token", "Tokens dropped", "Reading time, s"];
    const cells = numbers.map((text, i) => make("td", { text, "data-label": labels[i] }));
    const said = make("td", { class: "words" }, ...words);
    table.tBodies[0].append(make("tr", {}, make("th", { scope: "row", text: name }), said, ...cells));
  };
  row("as it was", [answer], "", "", "");
  for (const { name, words, likelihood, dropped, tokens, saved } of changes) {
    const pieces = words.flatMap(([kind, text]) => [kind === "same" ? text : make(kind, { text }), " "]);
    row(name, pieces, signed(likelihood, 3), dropped ? `${dropped} of ${tokens}` : "none", signed(-saved, 2));
  }
}

/** With a true minus, and without a sign that only rounding left. */
function signed(value, digits) {
  const size = fixed(Math.abs(value), digits);
  return Number(size) === 0 ? size : `${value < 0 ? "−" : "+"}${size}`;
}

/** A strip for every condition, a dot for every measurement; further to the right the answer is likelier. */
function deletionRows({ rows, verdict, reference }) {
  const all = rows.flatMap(([, values]) => values);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const place = (value) => `${high > low ? (100 * (value - low)) / (high - low) : 50}%`;
  const strips = rows.map(([name, values]) => {
    const dots = values.map((value) => make("i", { style: { left: place(value) }, title: fixed(value, 3) }));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const strip = make("td", {}, make("span", { class: "strip" }, ...dots));
    return make("tr", {}, make("th", { scope: "row", text: name }), strip, make("td", { text: signed(mean, 3) }));
  });
  const head = ["Deletion test", "", "nats per token"].map((text) => make("th", { scope: "col", text }));
  return [
    make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...strips)),
    make("p", { text: verdict }),
    make("p", { class: "hint", text: `Log-probability of “${reference}”` }),
  ];
}

write();
writeTried(inPage("report"));
const viewer = new Viewer(document.querySelector(".viewer"));
viewer.show(inPage("trace").trace);
new Marks(viewer).show(inPage("report").spans, []);
viewer.lean(inPage("leaning")?.words ?? []);
