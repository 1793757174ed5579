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

write();
new Viewer(document.querySelector(".viewer")).show(inPage("trace").trace);
