"""The public evaluation: real clips nobody trained on, asked as a person would, scored in words.

Every figure has a bootstrap 95 % interval over clips. The baselines are the model's own specialists under
the same scoring, so that the table shows what the whole adds.
"""

import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

from usam.audio import Clip, load_clip
from usam.encoders import MusiCNN, YAMNet
from usam.encoders.whisper import load_transcriber
from usam.engine import Engine
from usam.trace import Answer
from usam.training.alignment import KINDS
from usam.training.corpora import Example, label_words, read_corpus, split
from usam.training.instructions import KIND, family
from usam.training.silence import nothing
from usam.weights import fetch

BOOTSTRAPS = 1000
FIRST_WORDS = 12
SILENT_CLIPS = 20
GENERIC_STEMS = frozenset({"sound", "music", "play", "nois"})
Score = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """One question about one held-out clip and what the model answered."""

    example: Example
    question: str
    answer: Answer


def evaluate(
    engine: Engine,
    folder: Path,
    *,
    limit: int | None = None,
    baselines: bool = False,
    heldout: Sequence[str] = (),
    report: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """All figures as one JSON object. `limit` keeps at most so many clips of each kind, drawn by seed 0."""
    _, examples = split(read_corpus(folder), heldout)
    chosen = {kind: sample([e for e in examples if e.kind == kind], limit) for kind in KINDS}
    scores: dict[str, Score] = {}
    spoken = [e for e in chosen["speech"] if e.transcript]
    asked = list(ask_all(engine, spoken, None, "asr", report))
    scores["transcription"] = word_errors([(a.example.transcript or "", a.answer.text) for a in asked])
    samples = verbatim(asked)
    for name, kind, question in (
        ("sound named", "sound", "What sound is this?"),
        ("instrument named", "music", "What instrument is this?"),
    ):
        asked = list(ask_all(engine, chosen[kind], question, "qa", report))
        scores[name] = share([names(a.answer.text, a.example.label or "") for a in asked])
        samples += verbatim(asked)
        if kind == "music":
            known = [a for a in asked if family(a.example.label or "")]
            scores["instrument family named"] = share(
                [family(first_words(a.answer.text)) == family(a.example.label or "") for a in known]
            )
    told, routing = kinds(engine, chosen, report)
    scores["kind told"] = share([right for _, right in told])
    for kind in KINDS:
        scores[f"kind told, {kind}"] = share([right for found, right in told if found == kind])
    scores["yes/no"] = share(list(yes_no(engine, chosen, report)))
    scores["nothing heard"] = share(list(silent(engine)))
    if baselines:
        scores |= specialists(engine, chosen, spoken, report)
    return {
        "model": vars(engine.model_info),
        "clips": {kind: len(clips) for kind, clips in chosen.items()},
        "scores": scores,
        "router": separation(routing),
        "verbatim": samples,
    }


def sample(examples: Sequence[Example], limit: int | None) -> list[Example]:
    if limit is None or limit >= len(examples):
        return list(examples)
    return random.Random(0).sample(list(examples), limit)


def ask_all(
    engine: Engine,
    examples: Iterable[Example],
    question: str | None,
    task: str,
    report: Callable[[str], None],
) -> Iterator[Asked]:
    for index, example in enumerate(examples, 1):
        answer = engine.ask(heard(example), question, task=task, max_new_tokens=64)
        yield Asked(example, answer.question, answer)
        if index % 25 == 0:
            report(f"{answer.question} {index} clips")


def heard(example: Example) -> Clip:
    start, end = example.span or (None, None)
    return load_clip(example.path, start, end)


def word_errors(pairs: Sequence[tuple[str, str]]) -> Score:
    """WER and CER of (reference, hypothesis) pairs after Whisper's English normaliser."""
    normalise = EnglishTextNormalizer({})
    cleaned = [(normalise(reference), normalise(hypothesis)) for reference, hypothesis in pairs]
    cleaned = [pair for pair in cleaned if pair[0]]

    def wer(indices: np.ndarray) -> float:
        return float(words[indices, 0].sum() / words[indices, 1].sum())

    counted = [jiwer.process_words(reference, hypothesis) for reference, hypothesis in cleaned]
    words = np.array(
        [
            (c.substitutions + c.deletions + c.insertions, c.substitutions + c.deletions + c.hits)
            for c in counted
        ]
    )
    references, hypotheses = (list(side) for side in zip(*cleaned, strict=True))
    return {
        "value": wer(np.arange(len(words))),
        "interval": bootstrap(wer, len(words)),
        "cer": jiwer.cer(references, hypotheses),
        "clips": len(words),
    }


def share(hits: Sequence[bool]) -> Score:
    """Share of true values with its interval."""
    values = np.array(hits, dtype=float)
    if not len(values):
        return {"value": math.nan, "interval": [math.nan, math.nan], "clips": 0}
    mean = partial(_mean_of, values)
    return {"value": float(values.mean()), "interval": bootstrap(mean, len(values)), "clips": len(values)}


def _mean_of(values: np.ndarray, indices: np.ndarray) -> float:
    return float(values[indices].mean())


def bootstrap(statistic: Callable[[np.ndarray], float], size: int) -> list[float]:
    """95 % percentile interval of a statistic over resampled clip indices."""
    generator = np.random.default_rng(0)
    drawn = [statistic(generator.integers(0, size, size)) for _ in range(BOOTSTRAPS)]
    return [float(value) for value in np.percentile(drawn, [2.5, 97.5])]


def first_words(text: str) -> str:
    """The first words of an answer: a long list of guesses must not score by its length."""
    return " ".join(text.split()[:FIRST_WORDS])


def stem(word: str) -> str:
    return re.sub(r"(ing|s|es|ed)$", "", word) if len(word) > 4 else word.rstrip("s")


def names(answer: str, label: str) -> bool:
    """Whether the answer's first words share a content word, stemmed, with the label."""
    return listed(first_words(answer), label)


def listed(guesses: str, label: str) -> bool:
    """As `names`, but all the guesses count: top-3 is three names, however long."""
    return bool(content_stems(guesses) & content_stems(label))


def content_stems(text: str) -> set[str]:
    """Stems of a text's content words, without those that fit every clip."""
    return {stem(word) for word in label_words(text)} - GENERIC_STEMS


def kinds(
    engine: Engine, chosen: Mapping[str, Sequence[Example]], report: Callable[[str], None]
) -> tuple[list[tuple[str, bool]], list[tuple[str, np.ndarray]]]:
    """For every clip: is its kind the only one the answer names; and its mean routing."""
    told, routing = [], []
    wording = random.Random(0)
    for kind, clips in chosen.items():
        for example in clips:
            [asked] = ask_all(engine, [example], wording.choice(KIND), "qa", lambda message: None)
            words = set(re.findall(r"[a-z]+", asked.answer.text.lower()))
            told.append((kind, words & {*KINDS} == {kind}))
            weights = np.array([token.routing for token in asked.answer.trace.tokens])
            routing.append((kind, weights.mean(0)))
        report(f"kind of {len(clips)} {kind} clips")
    return told, routing


def yes_no(
    engine: Engine, chosen: Mapping[str, Sequence[Example]], report: Callable[[str], None]
) -> Iterator[bool]:
    """Balanced questions over whether someone speaks and whether music plays."""
    for kind, clips in chosen.items():
        for index, example in enumerate(clips):
            about = "speech" if index % 2 else "music"
            if kind == "sound" and index % 3:
                continue  # sounds are neither: a third of them keeps no from outnumbering yes
            question = "Is someone speaking?" if about == "speech" else "Is this music?"
            answer = engine.ask(heard(example), question, max_new_tokens=24).text.lower()
            said = re.match(r"(yes|no)\b", answer)
            yield bool(said) and (said[1] == "yes") == (kind == about)  # type: ignore[index]
        report(f"yes or no about {kind}")


def silent(engine: Engine) -> Iterator[bool]:
    """Clips with nothing in them, by seeds training does not use."""
    for seed in range(10_000, 10_000 + SILENT_CLIPS):
        waveform = nothing(seed).numpy()
        answer = engine.ask((16_000, waveform), "What do you hear?", max_new_tokens=24).text.lower()
        yield "nothing" in answer or "no sp" in answer


def separation(routing: Sequence[tuple[str, np.ndarray]]) -> dict[str, Any]:
    """Mutual information (bits) of expert and kind of audio, kinds weighted equally; typical shares."""
    present = [kind for kind in KINDS if any(found == kind for found, _ in routing)]
    shares = {kind: np.mean([w for found, w in routing if found == kind], axis=0) for kind in present}
    joint = np.stack(list(shares.values())) / len(present)
    marginal = joint.sum(0)
    conditional = joint * len(present)
    information = float((joint * np.log2(np.maximum(conditional, 1e-12) / np.maximum(marginal, 1e-12))).sum())
    entropy = float(-(marginal * np.log2(np.maximum(marginal, 1e-12))).sum())
    return {
        "mutual_information_bits": information,
        "load": marginal.tolist(),
        "load_entropy_bits": entropy,
        "share_by_kind": {kind: value.tolist() for kind, value in shares.items()},
    }


def specialists(
    engine: Engine,
    chosen: Mapping[str, Sequence[Example]],
    spoken: Sequence[Example],
    report: Callable[[str], None],
) -> dict[str, Score]:
    """Whisper's decoder, YAMNet and musicnn on the same clips under the same scoring."""
    yamnet, musicnn = list(engine.model.encoders)[1:]
    assert isinstance(yamnet, YAMNet)
    assert isinstance(musicnn, MusiCNN)
    scores: dict[str, Score] = {}
    for k in (1, 3):
        guesses = [
            (" ".join(name for name, _ in yamnet.top(yamnet.frames(heard(e).waveform), k)), e.label or "")
            for e in chosen["sound"]
        ]
        scores[f"sound named: YAMNet top-{k}"] = share([listed(*guess) for guess in guesses])
        guesses = [
            (" ".join(name for name, _ in musicnn.top(heard(e).waveform, k)), e.label or "")
            for e in chosen["music"]
        ]
        scores[f"instrument named: musicnn top-{k}"] = share([listed(*guess) for guess in guesses])
        scores[f"instrument family named: musicnn top-{k}"] = share(
            [family(guess) == family(label) for guess, label in guesses if family(label)]
        )
    report("YAMNet and musicnn asked")
    transcriber = load_transcriber(fetch().whisper)
    pairs = []
    for index, example in enumerate(spoken, 1):
        pairs.append((example.transcript or "", transcriber.transcribe(heard(example).waveform)))
        if index % 25 == 0:
            report(f"Whisper's decoder, {index} clips")
    scores["transcription: Whisper base decoder"] = word_errors(pairs)
    return scores


def verbatim(asked: Sequence[Asked], count: int = 8) -> list[dict[str, str]]:
    """The first answers of a fixed list, unpicked."""
    return [
        {
            "clip": a.example.name,
            "truth": a.example.transcript or a.example.label or "",
            "question": a.question,
            "answer": a.answer.text,
        }
        for a in asked[:count]
    ]


def table(result: Mapping[str, Any]) -> str:
    """The figures as a Markdown table."""
    rows = ["| figure | value | 95 % interval | clips |", "|---|---|---|---|"]
    for name, score in result["scores"].items():
        low, high = score["interval"]
        rows.append(f"| {name} | {score['value']:.3f} | {low:.3f} to {high:.3f} | {score['clips']} |")
    bits = result["router"]["mutual_information_bits"]
    rows.append(f"| router, mutual information with kind (bits) | {bits:.3f} | | |")
    return "\n".join(rows)
