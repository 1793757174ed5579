"""Synthetic English speech with its transcripts: more words than the recordings at hand hold.

    python -m usam.data.synthetic.speech --out speech --hours 12 --seed 0

writes 16 kHz FLAC files in folders of 200 and a `manifest.jsonl` that only ever grows: a line is added once
its file is complete, so a reader may follow along and a stopped run goes on where it ended. Utterance `i`
depends on the seed, `i` and the installed packages alone (the noise inside some synthesisers excepted).
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from usam.audio.clip import load_clip
from usam.audio.samples import SAMPLE_RATE
from usam.data.augmentation import change_speed, degrade
from usam.data.corpus import read_corpus
from usam.data.labels import spoken_words
from usam.data.splits import split
from usam.data.synthetic.sentences import Sentences
from usam.data.synthetic.voices import SYNTHESIZERS, SpeechSynthesizer, SynthesisError, available_synthesizers

FOLDER_SIZE = 200
SECONDS = (0.4, 14.0)  # of the voice alone; shorter is a failed synthesis
TEMPO = (0.8, 1.25)


@dataclass(frozen=True)
class Utterance:
    """`waveform` [samples] at 16 kHz; `transcript` normalised, `text` as it was given to the voice."""

    waveform: Tensor
    transcript: str
    text: str
    voice: str
    source: str
    licence: str


@dataclass(frozen=True)
class UtteranceGenerator:
    """Draws utterances by their index. `backgrounds` are clips that may be heard behind the voice."""

    synthesizers: Sequence[SpeechSynthesizer]
    sentences: Sentences
    seed: int
    backgrounds: Sequence[Path] = field(default=())

    def utterance(self, index: int) -> Utterance | None:
        """Utterance `index`, or None if its sentence came out too short or too long."""
        rng = np.random.default_rng((self.seed, index))
        text, source = self.sentences.draw(index, rng)
        transcript = spoken_words(text)
        if transcript is None:
            return None
        shares = np.array([synthesizer.share for synthesizer in self.synthesizers])
        synthesizer = self.synthesizers[int(rng.choice(len(self.synthesizers), p=shares / shares.sum()))]
        shift, tempo = rng.uniform(*synthesizer.shift), rng.uniform(*TEMPO)
        (samples, rate), voice = synthesizer.speak(text, tempo / shift, rng)
        if not SECONDS[0] <= len(samples) / rate / shift <= SECONDS[1]:
            return None
        waveform = change_speed(torch.from_numpy(samples), rate, shift)
        waveform = degrade(waveform, rng, self._background(rng))
        return Utterance(waveform, transcript, text, voice, source, synthesizer.licence)

    def _background(self, rng: np.random.Generator) -> Tensor | None:
        if not self.backgrounds:
            return None
        return load_clip(self.backgrounds[int(rng.integers(len(self.backgrounds)))]).waveform


def synthesize(generator: UtteranceGenerator, out: Path, hours: float, minutes: float | None = None) -> float:
    """Write until `out` holds `hours` of speech, or for `minutes`; returns the hours it then holds."""
    out.mkdir(parents=True, exist_ok=True)
    manifest = out / "manifest.jsonl"
    index, seconds = _resume(manifest)
    deadline = time.monotonic() + 60 * minutes if minutes is not None else float("inf")
    with manifest.open("a", encoding="utf-8") as lines:
        while seconds < 3600 * hours and time.monotonic() < deadline:
            try:
                utterance = generator.utterance(index)
            except SynthesisError as error:
                print(f"Sentence {index} was skipped: {error}", file=sys.stderr)
                utterance = None
            if utterance is not None:
                line = _write(out, index, utterance)
                lines.write(json.dumps(line) + "\n")
                lines.flush()
                seconds += line["seconds"]
            index += 1
    return seconds / 3600


def _write(out: Path, index: int, utterance: Utterance) -> dict:
    folder, file = divmod(index, FOLDER_SIZE)
    path = out / f"{folder:03d}" / f"{file:05d}.flac"
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, utterance.waveform.numpy(), SAMPLE_RATE, format="FLAC")
    return {
        "path": path.relative_to(out).as_posix(),
        "seconds": round(len(utterance.waveform) / SAMPLE_RATE, 3),
        "transcript": utterance.transcript,
        "text": utterance.text,
        "voice": utterance.voice,
        "kind": "speech",
        "source": utterance.source,
        "licence": utterance.licence,
    }


def _resume(manifest: Path) -> tuple[int, float]:
    """(index of the next utterance, seconds written so far); drops a last line cut off by a crash."""
    if not manifest.exists():
        return 0, 0.0
    text = manifest.read_text(encoding="utf-8")
    complete = text[: text.rfind("\n") + 1]
    if complete != text:
        manifest.write_text(complete, encoding="utf-8")
    entries = [json.loads(line) for line in complete.splitlines()]
    if not entries:
        return 0, 0.0
    folder, file = Path(entries[-1]["path"]).with_suffix("").parts
    return int(folder) * FOLDER_SIZE + int(file) + 1, sum(entry["seconds"] for entry in entries)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to, or to go on with")
    parser.add_argument("--hours", type=float, required=True, help="hours of speech to reach")
    parser.add_argument("--minutes", type=float, help="stop after this time even so")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--background", type=Path, help="corpus whose training sounds are heard behind voices"
    )
    parser.add_argument(
        "--voices",
        nargs="+",
        default=(),
        choices=[synthesizer.name for synthesizer in SYNTHESIZERS],
        help="only these synthesisers",
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        synthesizers, missing = available_synthesizers(options.voices)
        sentences = Sentences.collect(options.seed)
        missing += [f"{package} (apt)" for package in sentences.missing_packages()]
        if missing:
            print(f"More variety with: {'; '.join(missing)}.", file=sys.stderr)
        backgrounds: list[Path] = []
        if options.background:
            train, _ = split(read_corpus(options.background))
            backgrounds = [clip.path for clip in train if clip.kind == "sound" and clip.seconds >= 1]
        generator = UtteranceGenerator(synthesizers, sentences, options.seed, backgrounds)
        hours = synthesize(generator, options.out, options.hours, options.minutes)
    except (SynthesisError, OSError) as error:
        sys.exit(str(error))
    print(f"{options.out} holds {hours:.2f} h of speech.")


if __name__ == "__main__":
    main()
