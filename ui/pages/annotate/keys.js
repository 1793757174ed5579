// The keyboard of the Annotate page, and its player. Keys press the page's own buttons and fields, so that
// hand and mouse do the same. While an answer is on its way from the server, keys wait for the next one.

const PATIENCE = 4000; // ms after which the keys listen again even if the server never answered
const FLAGS = { h: "hallucination", w: "wrong_language", u: "unsafe", a: "bad_audio" };
const ACTIONS = { s: "#skip", d: "#draft", z: "#undo", Enter: "#submit" };

const find = (selector) => document.querySelector(selector);
let pendingUntil = 0;
let row = 0;

function rows() {
  return [...document.querySelectorAll("#judge .digits")].filter((digits) => digits.offsetParent !== null);
}

function mark() {
  rows().forEach((digits, i) => digits.classList.toggle("active", i === row));
}

function press(selector) {
  const button = find(selector);
  if (!button || button.disabled || button.offsetParent === null) return;
  pendingUntil = Date.now() + PATIENCE;
  button.click();
}

function handle(key) {
  if (key === " ") return toggle();
  if (key === "ArrowDown" || key === "ArrowUp") {
    row = Math.min(Math.max(row + (key === "ArrowDown" ? 1 : -1), 0), rows().length - 1);
    return mark();
  }
  if (key >= "1" && key <= "5") {
    rows()[row]?.querySelectorAll("input")[Number(key) - 1]?.click();
    row = Math.min(row + 1, rows().length - 1);
    return mark();
  }
  if (key === "g" || key === "b") return find("#judge #thumb").querySelectorAll("input")[key === "g" ? 0 : 1].click();
  if (key in FLAGS) return [...document.querySelectorAll("#judge #flags input")][Object.keys(FLAGS).indexOf(key)]?.click();
  if (key === "c") return find("#judge #correction textarea").focus();
  if (key in ACTIONS) return press(ACTIONS[key]);
  return false;
}

function onKey(event) {
  if (!element.isConnected) return document.removeEventListener("keydown", onKey);
  const typing = event.target.matches("textarea, input[type=text], input[type=number]");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    if (!(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
    event.target.blur(); // hands what was typed to the page
  } else if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.target.matches("button, a")) return;
  if (event.target.closest("#queue-order")) return; // its arrows choose the order
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (Date.now() < pendingUntil || event.repeat || !element.querySelector(".item[data-ready]")) return;
  if (handle(key) !== false) event.preventDefault();
}

function toggle() {
  const audio = element.querySelector("audio");
  if (audio) audio.paused ? audio.play() : audio.pause();
}

function follow() {
  const audio = element.querySelector("audio");
  if (!audio) return;
  const player = audio.closest(".player");
  const draw = () => {
    player.style.setProperty("--played", `${(100 * audio.currentTime) / (audio.duration || 1)}%`);
    if (!audio.paused) requestAnimationFrame(draw);
  };
  for (const name of ["play", "pause", "ended", "seeked"])
    audio.addEventListener(name, () => {
      player.classList.toggle("playing", !audio.paused);
      draw();
    });
  audio.play().catch(() => {}); // browsers stay silent until the page was touched
}

element.addEventListener("click", (event) => {
  if (event.target.closest(".play")) return toggle();
  const wave = event.target.closest(".wave");
  if (!wave) return;
  const audio = element.querySelector("audio");
  const box = wave.getBoundingClientRect();
  audio.currentTime = ((event.clientX - box.left) / box.width) * audio.duration;
  audio.play();
});

document.addEventListener("keydown", onKey);
document.addEventListener("annotate:settled", () => {
  pendingUntil = 0;
  element.querySelector(".item")?.setAttribute("data-ready", "");
});
watch("value", () => {
  row = 0;
  mark();
  follow();
});
