// Keeps the visit, as the server names it, for a reload: this tab's own, the latest of all for a new tab. Keeps what
// is typed but not sent in this tab alone: the question, and texts about answers, by the ids of these.

const VISIT = "usam-visit";
const QUESTION = "usam-draft";
const RATINGS = "usam-rating-drafts";
const FIELDS = ["#correction", "#comment"];
const LOOK = 100; // ms between two looks for a box that is not on the page yet

/** What a storage does; nothing where the browser denies it. @template T @param {() => T} act */
function allowed(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

/** @param {string} key @param {string | null} text */
const store = (key, text) =>
  void allowed(() => (text ? sessionStorage.setItem(key, text) : sessionStorage.removeItem(key)));

/** @param {string} selector */
const box = (selector) => /** @type {HTMLTextAreaElement | null} */ (document.querySelector(`${selector} textarea`));
/** @param {string} selector */
const textIn = (selector) => box(selector)?.value ?? "";

/** Once the box is there and holds what the server put into it.
 *  @param {string} selector @param {string} text @param {(now: string) => boolean} wanted */
function fill(selector, text, wanted) {
  const place = box(selector);
  if (!place) return void setTimeout(() => fill(selector, text, wanted), LOOK);
  if (place.value === text || !wanted(place.value)) return;
  place.value = text;
  place.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Of the answer on display. @type {string | null} */
let shown = null;
/** What a person typed as the question, and what of that was asked. @type {string | null} */
let typed = allowed(() => sessionStorage.getItem(QUESTION));
/** @type {string | null} */
let asked = null;
/** By the answer's id, the texts of `FIELDS`. @type {Record<string, string[]>} */
let ratings = JSON.parse(allowed(() => sessionStorage.getItem(RATINGS)) || "{}");
/** The texts that are on their way to the server. @type {string[] | null} */
let saving = null;

/** @param {string | null} question */
const keepQuestion = (question) => store(QUESTION, (typed = question));
const keepRatings = () => store(RATINGS, Object.keys(ratings).length ? JSON.stringify(ratings) : null);
const ratingTexts = () => FIELDS.map(textIn);

/** @param {string} id */
function bringBack(id) {
  const texts = ratings[id];
  if (!texts) return;
  // Later than the values that come from the server with the answer.
  setTimeout(() => FIELDS.forEach((field, i) => fill(field, texts[i] ?? "", () => shown === id)));
}

function noteChanged() {
  if (!props.value) return;
  for (const storage of [() => sessionStorage, () => localStorage]) {
    allowed(() => storage().setItem(VISIT, props.value));
  }
  /** @type {{answers: {id: string}[], shown: string | null}} */
  const note = JSON.parse(props.value);
  if (note.shown === shown) return;
  shown = note.shown;
  if (asked !== null && asked === typed) keepQuestion(null);
  asked = null;
  const here = new Set(note.answers.map(({ id }) => id));
  ratings = Object.fromEntries(Object.entries(ratings).filter(([id]) => here.has(id)));
  keepRatings();
  if (shown) bringBack(shown);
}

/** @param {EventTarget | null} target @param {string} selector */
const within = (target, selector) => target instanceof Element && target.closest(selector) !== null;

document.addEventListener("input", ({ target }) => {
  if (within(target, "#question")) keepQuestion(textIn("#question"));
  if (!shown || !within(target, FIELDS.join())) return;
  ratings[shown] = ratingTexts();
  keepRatings();
});
const send = () => void (asked = textIn("#question"));
document.addEventListener("keydown", ({ target, key, shiftKey }) => {
  if (key === "Enter" && !shiftKey && within(target, "#question")) send();
});
document.addEventListener(
  "click",
  ({ target }) => {
    if (within(target, "#ask")) send();
    if (within(target, "#save")) saving = ratingTexts();
  },
  true,
);
addEventListener("usam-rated", () => {
  const changed = saving !== null && String(saving) !== String(ratingTexts());
  saving = null;
  if (!shown || changed) return; // typed on meanwhile
  delete ratings[shown];
  keepRatings();
});
addEventListener("usam-forget", () => {
  [asked, saving, ratings] = [null, null, {}];
  keepQuestion(null);
  keepRatings();
});
addEventListener("pagehide", () => {
  if (textIn("#question") !== typed) keepQuestion(null); // an example's question has taken its place
});

for (const property of Object.keys({ value: noteChanged })) watch(property, noteChanged);
noteChanged();
if (typed) fill("#question", typed, (now) => now === "");
