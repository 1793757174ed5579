// Types of what the server sends and of what the scripts hand each other. Only for the type checker; not served.
// The other side of what is sent is `ui/inspector/payload.py` and `ui/inspector/annotations.py`.

/** One value for each token; times in seconds of the clip, entropy in bits. */
export interface Tokens {
  start: number[];
  end: number[];
  routing: number[][];
  entropy: number[];
  significance: number[];
  predictive: number[];
  text_relevance: number[];
  audio_saliency: number[];
  word: string[];
  /** Whether the language model did not read it. */
  dropped: boolean[];
  /** Those that begin at it. */
  words: TokenWord[][];
}

/** What an expert's specialist says at a token. The text is the model's: nothing is known of it. */
export interface TokenWord {
  expert: string;
  text: string;
  confidence: number;
}

/** `mel`, `peaks` and `opus` are base64; `rate` is frames a second. */
export interface SoundData {
  mel: string;
  hertz: number[];
  low: number;
  high: number;
  rate: number;
  peaks: string;
  peak: number;
  samples: number;
  opus: string;
}

export interface TraceData {
  key: string;
  link: string | null;
  source: string;
  summary: string;
  answer: string;
  question: string;
  fingerprint: string;
  model: string;
  heard: { start: number; end: number; duration: number };
  paddedEnd: number;
  experts: string[];
  colours: string[];
  supervision: string;
  threshold: number;
  /** Whether redundant tokens are not read. */
  pruned: boolean;
  tokens: Tokens;
  sound: SoundData;
  /** Whether there is a sound to draw and play: false where the audio was not kept. */
  audible: boolean;
  /** What the evaluation of the answer's checkpoint measured; null where there was none. */
  router: { typical: Record<string, number[]>; load: number[] } | null;
  collapsed: number;
  dead: number;
}

/** Of another answer: `sound` is null where it is the same sound, which is sent once. */
export type OtherData = Omit<TraceData, "sound"> & { sound: SoundData | null };

/** The router's state when the model had loaded. */
export interface RouterHealth {
  fingerprint: string;
  experts: string[];
  distinct: boolean;
  load: number[];
  entropy_bits: number;
  dead: string[];
  collapsed: boolean;
}

/** A start and an end, in seconds of the clip. */
export type Interval = [number, number];

/** How much log-probability (nats) a word of the answer loses without each token. */
export interface WordAttribution {
  text: string;
  scores: number[];
}

/** The attribution on display; `highest` is the largest size of any word's scores. */
export interface ShownAttribution {
  word: WordAttribution;
  scores: number[];
  highest: number;
}

export interface Lane {
  top: number;
  height: number;
  bottom: number;
}

/** The lanes that are always there, and those that words, a comparison or an attribution add. */
export interface Lanes {
  wave: Lane;
  words?: Lane;
  sound: Lane;
  attribution?: Lane;
  routing: Lane;
  otherRouting?: Lane;
  moved?: Lane;
  entropy: Lane;
  significance: Lane;
}

/** Where everything lies on the canvas, in CSS pixels. */
export interface Layout {
  lanes: Lanes;
  narrow: boolean;
  left: number;
  right: number;
  bottom: number;
  height: number;
}

export type Palette = Record<
  | "paper" | "well" | "ink" | "quiet" | "line" | "hatch" | "veil" | "threshold" | "accent" | "wave" | "select"
  | "sound0" | "sound1" | "sound2" | "sound3",
  string
>;

/** A span that a person marked, as the server keeps it; a new one has no id yet. */
export interface Mark {
  id: string | null;
  start: number;
  end: number;
  label: string;
  comment: string | null;
}

export type Verdict = "mattered" | "did_not" | "unclear";

/** The server's answer to an event of the viewer: what it keeps now, or the problem. */
export interface Annotations {
  event: "opened" | "marked" | "unmarked" | "judged";
  key: string;
  problem?: string;
  labels?: string[];
  spans?: Mark[];
  verdicts?: Record<string, Verdict>;
  question?: string;
  answer?: string;
}

export interface ViewerSelection {
  span: Interval | null;
  threshold: number;
}

// What Gradio gives to the script of an HTML component.
declare global {
  const element: HTMLElement;
  const props: Record<string, string>;
  function trigger(event: string, data?: unknown): void;
  function watch(property: string, changed: () => void): void;
}
