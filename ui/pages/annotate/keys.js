// The keyboard of the Annotate page, and its player. Keys press the page's own buttons and fields, so that
// hand and mouse do the same. While an answer is on its way from the server, keys wait for the next one.

const PATIENCE = 4000; // ms after which the keys listen again even if the server never answered
/** @type {Record<string, string>} */
const FLAGS = { h: "hallucination", w: "wrong_language", u: "unsafe", a: "bad_audio" };
/** @type {Record<string, string>} */
const ACTIONS = { s: "#skip", d: "#draft", z: "#undo", Enter: "#submit" };

/** The first element for a selector, if it is there. @param {string} selector @returns {HTMLElement | null} */
const find = (selector) => document.querySelector(selector);
/** @param {string} selector @returns {HTMLElement[]} */
const findAll = (selector) => [...document.querySelectorAll(selector)].filter((found) => found instanceof HTMLElement);
/** @returns {HTMLAudioElement | null} */
const findAudio = () => element.querySelector("audio");
let pendingUntil = 0;
let row = 0;

function rows() {
  return findAll("#judge .digits").filter((digits) => digits.offsetParent !== null);
}

function mark() {
  rows().forEach((digits, i) => digits.classList.toggle("active", i === row));
}

/** @param {string} selector */
function press(selector) {
  const button = find(selector);
  if (!button || button.matches(":disabled") || button.offsetParent === null) return;
  pendingUntil = Date.now() + PATIENCE;
  button.click();
}

/** @param {HTMLElement | null | undefined} place @param {number} index */
function pressInput(place, index) {
  place?.querySelectorAll("input")[index]?.click();
}

/** What a key does; false for nothing. @param {string} key */
function handle(key) {
  if (key === " ") return toggle();
  if (key === "ArrowDown" || key === "ArrowUp") {
    row = Math.min(Math.max(row + (key === "ArrowDown" ? 1 : -1), 0), rows().length - 1);
    return mark();
  }
  if (key >= "1" && key <= "5") {
    pressInput(rows()[row], Number(key) - 1);
    row = Math.min(row + 1, rows().length - 1);
    return mark();
  }
  if (key === "g" || key === "b") return pressInput(find("#judge #thumb"), key === "g" ? 0 : 1);
  if (key in FLAGS) return pressInput(find("#judge #flags"), Object.keys(FLAGS).indexOf(key));
  if (key === "c") return find("#judge #correction textarea")?.focus();
  if (key in ACTIONS) return press(ACTIONS[key]);
  return false;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (!element.isConnected) return document.removeEventListener("keydown", onKey);
  const { target } = event;
  if (!(target instanceof HTMLElement)) return;
  if (target.matches("textarea, input[type=text], input[type=number]")) {
    if (event.key === "Escape") target.blur();
    if (!(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
    target.blur(); // hands what was typed to the page
  } else if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && target.matches("button, a, summary")) return;
  if (event.key === " " && target.matches("summary")) return;
  if (target.closest("#queue-order, #queue-project")) return; // their arrows choose
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (Date.now() < pendingUntil || event.repeat || !element.querySelector(".item[data-ready]")) return;
  if (handle(key) !== false) event.preventDefault();
}

/** Guidelines that were opened with the mouse do not keep the keys to themselves. @param {MouseEvent} event */
function onClick(event) {
  if (!element.isConnected) return document.removeEventListener("click", onClick);
  const { target, detail } = event;
  if (target instanceof HTMLElement && target.matches("#queue-guidelines summary") && detail > 0) target.blur();
}

function toggle() {
  const audio = findAudio();
  if (audio?.paused) void audio.play();
  else audio?.pause();
}

function follow() {
  const audio = findAudio();
  const player = audio?.parentElement;
  if (!player) return;
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
  if (!(event.target instanceof Element)) return;
  if (event.target.closest(".play")) return toggle();
  const wave = event.target.closest(".wave");
  const audio = findAudio();
  if (!wave || !audio) return;
  const box = wave.getBoundingClientRect();
  audio.currentTime = ((event.clientX - box.left) / box.width) * audio.duration;
  void audio.play();
});

document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("annotate:settled", () => {
  pendingUntil = 0;
  element.querySelector(".item")?.setAttribute("data-ready", "");
});
watch("value", () => {
  row = 0;
  mark();
  follow();
});
