// The words of a recording in lines, as subtitles have them. They come while the recording is heard: what was there
// stays, further words follow. Nothing of this touches the page.

/** A word as the server sends it: start and end (s), its text with the space before it, whether a line begins with it.
 *  @typedef {[start: number, end: number, text: string, begins: 0 | 1]} SentWord */

export class Transcript {
  constructor() {
    /** @type {SentWord[]} */
    this.words = [];
    /** The number of each line's first word. @type {number[]} */
    this.lines = [];
  }

  /** Take the words from a number on. Returns the first line that is not as it was.
   *  @param {number} since @param {SentWord[]} sent */
  add(since, sent) {
    const changed = Math.max(this.lineOf(since), 0);
    this.words.length = Math.min(since, this.words.length);
    while (this.lines.length && this.lines[this.lines.length - 1] >= since) this.lines.pop();
    for (const word of sent) {
      if (word[3] || !this.lines.length) this.lines.push(this.words.length);
      this.words.push(word);
    }
    return Math.min(changed, this.lines.length);
  }

  /** The last word that has begun at a time (s); -1 before the first. @param {number} time */
  at(time) {
    return lastWhere(this.words.length, (index) => this.words[index][0] <= time);
  }

  /** The line of a word; -1 for none. @param {number} word */
  lineOf(word) {
    return lastWhere(this.lines.length, (index) => this.lines[index] <= word);
  }

  /** The numbers of a line's words, from the first to the one after its last. @param {number} line */
  range(line) {
    return [this.lines[line], this.lines[line + 1] ?? this.words.length];
  }

  /** @param {number} line */
  text(line) {
    const [first, last] = this.range(line);
    return this.words
      .slice(first, last)
      .map((word) => word[2])
      .join("")
      .trim();
  }
}

/** The last of `count` numbers for which it holds, where it holds for all before; -1 for none.
 *  @param {number} count @param {(index: number) => boolean} holds */
export function lastWhere(count, holds) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
