// What a person has typed about answers and not saved: kept for a reload, in this tab alone.

/** A rating as the server sends and takes it.
 *  @typedef {{thumb: number | null, score: number | null, correction: string | null, comment: string | null}} Rating */

const DRAFTS_KEY = "usam-recording-drafts";
export const NO_RATING = /** @type {Rating} */ ({ thumb: null, score: null, correction: null, comment: null });

export class RatingDrafts {
  /** @param {() => Storage} storage may throw where the browser denies it */
  constructor(storage) {
    this.storage = storage;
    /** By the answer's id. @type {Record<string, Rating>} */
    this.drafts = {};
    try {
      this.drafts = JSON.parse(storage().getItem(DRAFTS_KEY) ?? "{}");
    } catch {
      /* there are none */
    }
  }

  /** @param {string} id @returns {Rating | undefined} */
  of(id) {
    return this.drafts[id];
  }

  /** @param {string} id @param {Rating} draft */
  keep(id, draft) {
    this.drafts[id] = draft;
    this.store();
  }

  /** The server has stored this; what was typed meanwhile stays. @param {string} id @param {Rating} stored */
  saved(id, stored) {
    if (JSON.stringify(this.drafts[id]) !== JSON.stringify(stored)) return;
    this.drop(id);
  }

  /** @param {string} id */
  drop(id) {
    delete this.drafts[id];
    this.store();
  }

  forget() {
    this.drafts = {};
    this.store();
  }

  store() {
    try {
      if (Object.keys(this.drafts).length) this.storage().setItem(DRAFTS_KEY, JSON.stringify(this.drafts));
      else this.storage().removeItem(DRAFTS_KEY);
    } catch {
      /* the browser denies it, or it is full: it stays on the page */
    }
  }
}
