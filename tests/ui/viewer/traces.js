// Traces for the tests, as the server sends them.

/** Four tokens of 80 ms, the last one cut short, from `start` seconds of a longer clip. */
export function traceData({ start = 1, significance = [0.9, 0.5, 0.2, 0.7], routing, words, ...changes } = {}) {
  const count = significance.length;
  const edges = significance.map((_, i) => start + 0.08 * i);
  const end = edges[count - 1] + 0.05;
  const zeros = Array(count).fill(0);
  return {
    key: "key", link: null, source: "", summary: "", answer: "A dog.", question: "What?", fingerprint: "f".repeat(16),
    model: "mini, none", heard: { start, end, duration: 10 }, paddedEnd: start + 0.32, experts: ["one", "two"],
    colours: ["#111111", "#222222"], supervision: "the question", threshold: 0.5, pruned: false,
    tokens: {
      start: edges, end: [...edges.slice(1), end], routing: routing ?? significance.map(() => [0.75, 0.25]),
      entropy: zeros, significance, predictive: zeros, text_relevance: zeros, audio_saliency: zeros,
      word: [" dog", ...Array(count - 1).fill("")],
      dropped: Array(count).fill(false), words: words ?? significance.map(() => []),
    },
    sound: { mel: btoa("\x00\x7f\xff\x10\x20\x30"), hertz: [100, 200], low: -80, high: 0, rate: 100, peaks: "", peak: 1,
      samples: 0, opus: "" },
    audible: true,
    router: null, collapsed: 0.95, dead: 0.01,
    ...changes,
  };
}
