// The tour: a card that stays beside the page, and a ring around the element it describes. The page remains usable.
// A step whose element is not there yet says what to do first, and notices when that was done.

const SEEN = "usam-tour"; // in the browser, once the tour was taken or declined
const LOOK = 400; // ms between looks at whether a step can begin

/** A step: `target` is the element it describes, `show` the button that does `act`, `needs` what has to be there first.
 *  @typedef {{title: string, text: string, target: string, show?: string, act?: () => void, needs?: "answer",
 *    aside?: boolean}} Step */

/** @param {string} selector @param {ParentNode} place @returns {HTMLElement} */
function find(selector, place = element) {
  const found = place.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`no element is ${selector}`);
  return found;
}

/** @param {string} selector */
const inPage = (selector) => find(selector, document);

/** @type {Step[]} */
const STEPS = [
  {
    title: "Pick an example",
    text:
      "Each of these clips comes with a question and is answered with one click. Above them you can upload or " +
      "record a clip of your own.",
    target: "#examples",
    show: "Ask about the dog",
    act: () => {
      for (const item of document.querySelectorAll("#examples .gallery-item")) {
        if (item instanceof HTMLElement && /Dog/.test(item.textContent)) return item.click();
      }
    },
  },
  {
    title: "Ask",
    text:
      "Type a question about the clip and press Ask. With an empty box, the task asks its own: what is said, which " +
      "sound, which music. The answer is written below.",
    target: "#go",
    show: "Put the cursor there",
    act: () => inPage("#question textarea").focus(),
  },
  {
    title: "Read the routing",
    text:
      "The model hears the clip as tokens of 80 ms. Each column of the coloured band is one: its colours are the " +
      "experts it was sent to, their height the weights. Point at a token for its numbers, or step with ← and →.",
    target: "#viewer .stage",
    needs: "answer",
    show: "Put the cursor there",
    act: () => inPage("#viewer .stage").focus({ preventScroll: true }),
  },
  {
    title: "Hear a redundant token",
    text:
      "Hatched tokens are those the model thinks it could do without. Click one to hear exactly that sound, or hear " +
      "them all in a row.",
    target: "#viewer .stage",
    needs: "answer",
    show: "Play only the redundant",
    act: () => {
      inPage('#viewer [data-listen="redundant"]').click();
      const play = inPage("#viewer .bar .play");
      if (play.getAttribute("aria-label") === "Play") play.click();
    },
  },
  {
    title: "Rate the answer",
    text:
      "Good or bad, a score, what it should have said: ratings become training data. They are stored under " +
      "an id, not your name; under “Your data” you can delete them.",
    target: "#rate",
    aside: true, // the form is where the card is
    needs: "answer",
  },
];
const NOTES = {
  answer: "This needs an answer: go back to the first step, or wait while one is written.",
};

const card = find(".tour-card");
const opener = find(".tour-open");
let at = 0;
/** What the ring is around. @type {Element | null} */
let ringed = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer = undefined;

function seen() {
  try {
    return localStorage.getItem(SEEN) !== null;
  } catch {
    return false; // the browser keeps nothing: then it is offered again
  }
}

function remember() {
  try {
    localStorage.setItem(SEEN, "seen");
  } catch {
    // the browser keeps nothing
  }
  offer();
}

function offer() {
  const first = !seen();
  find(".tour-offer").classList.toggle("first", first);
  find(".tour-offer p").hidden = !first;
  find(".tour-later").hidden = !first;
}

/** @param {Step} step */
function ready(step) {
  return !step.needs || document.querySelector("#viewer section[data-drawn]") !== null;
}

/** @param {Element | null} target */
function ring(target) {
  if (target === ringed) return;
  ringed?.classList.remove("tour-target");
  ringed = target;
  if (!target) return;
  target.classList.add("tour-target");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target.scrollIntoView({ behavior: still ? "auto" : "smooth", block: innerWidth > 720 ? "center" : "start" });
}

/** Texts change only where they differ: a status that is set again would be read out again.
 *  @param {string} selector @param {string} text */
function say(selector, text) {
  if (find(selector).textContent !== text) find(selector).textContent = text;
}

function look() {
  const step = STEPS[at];
  const can = ready(step);
  say(".tour-note", can || !step.needs ? "" : NOTES[step.needs]);
  find(".tour-show").hidden = !step.show || !can;
  ring(can ? document.querySelector(step.target) : null);
}

/** @param {number} to */
function go(to) {
  at = to;
  const step = STEPS[at];
  say(".tour-count", `${at + 1} of ${STEPS.length}`);
  say("#tour-title", step.title);
  say("#tour-text", step.text);
  say(".tour-show", step.show || "");
  say(".tour-next", at === STEPS.length - 1 ? "Done" : "Next");
  find(".tour-back").toggleAttribute("disabled", at === 0);
  card.classList.toggle("aside", Boolean(step.aside));
  look();
  find("#tour-title").focus({ preventScroll: true });
}

function open() {
  remember();
  card.hidden = false;
  document.body.classList.add("tour-on"); // room below the page for the card
  clearInterval(timer);
  timer = setInterval(() => (element.isConnected ? look() : clearInterval(timer)), LOOK);
  go(0);
}

function close() {
  clearInterval(timer);
  ring(null);
  card.hidden = true;
  document.body.classList.remove("tour-on");
  opener.focus({ preventScroll: true });
}

opener.addEventListener("click", open);
opener.removeAttribute("disabled"); // only now is a press heard
find(".tour-later").addEventListener("click", () => {
  remember();
  opener.focus();
});
find(".tour-close").addEventListener("click", close);
find(".tour-back").addEventListener("click", () => go(at - 1));
find(".tour-next").addEventListener("click", () => (at === STEPS.length - 1 ? close() : go(at + 1)));
find(".tour-show").addEventListener("click", () => STEPS[at].act?.());

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (!element.isConnected) return document.removeEventListener("keydown", onKey);
  if (event.key === "Escape" && !card.hidden && !event.defaultPrevented) close();
}
document.addEventListener("keydown", onKey);
offer();
