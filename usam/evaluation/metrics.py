"""Shares and error rates, each with a 95 % bootstrap interval."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import jiwer
import numpy as np
from sacrebleu.metrics import CHRF
from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

BOOTSTRAPS = 1000
Figure = Mapping[str, Any]
"""`value`, `interval` [low, high] and `clips`, the number of answers; word error rates also have `cer`."""


def share(hits: Sequence[bool]) -> Figure:
    """Share of right answers."""
    return mean(np.array(hits, dtype=float))


def mean(values: np.ndarray) -> Figure:
    """Mean of values [N], N >= 1."""
    return {
        "value": float(values.mean()),
        "interval": bootstrap(lambda chosen: float(values[chosen].mean()), len(values)),
        "clips": len(values),
    }


def mean_of_shares(kinds: Sequence[Sequence[bool]]) -> Figure:
    """Mean of the shares of right answers of several kinds, each with at least one; all kinds weigh alike.

    The interval resamples the answers of each kind.
    """
    generator = np.random.default_rng(0)
    drawn = [generator.choice(np.array(hits, dtype=float), (BOOTSTRAPS, len(hits))).mean(1) for hits in kinds]
    low, high = np.percentile(np.mean(drawn, axis=0), [2.5, 97.5])
    return {
        "value": float(np.mean([np.mean(hits) for hits in kinds])),
        "interval": [float(low), float(high)],
        "clips": sum(map(len, kinds)),
    }


def ratio(above: np.ndarray, below: np.ndarray) -> Figure:
    """Ratio of the means of two measurements [N] of the same clips."""

    def of(chosen: np.ndarray) -> float:
        return float(above[chosen].sum() / below[chosen].sum())

    every = np.arange(len(above))
    return {"value": of(every), "interval": bootstrap(of, len(above)), "clips": len(above)}


def word_errors(pairs: Sequence[tuple[str, str]]) -> Figure:
    """WER and CER of (reference, hypothesis) pairs, whatever their case, punctuation and numerals.

    Both sides go through Whisper's English normaliser; every digit is a word, since "six nine two", "692" and
    "6, 9, 2" are three ways to write down what is said. Raises ValueError if no reference has a word in it.
    """
    cleaned = [(normalised(reference), normalised(hypothesis)) for reference, hypothesis in pairs]
    cleaned = [pair for pair in cleaned if pair[0]]
    counted = [jiwer.process_words(reference, hypothesis) for reference, hypothesis in cleaned]
    errors = np.array([c.substitutions + c.deletions + c.insertions for c in counted], dtype=float)
    words = np.array([c.substitutions + c.deletions + c.hits for c in counted], dtype=float)
    references, hypotheses = (list(side) for side in zip(*cleaned, strict=True))
    return {**ratio(errors, words), "cer": jiwer.cer(references, hypotheses)}


def character_errors(pairs: Sequence[tuple[str, str]]) -> Figure:
    """CER of (reference, hypothesis) pairs of any language, whatever their case and punctuation.

    Both sides go through Whisper's basic normaliser. Raises ValueError if no reference has a letter in it.
    """
    clean = BasicTextNormalizer()
    cleaned = [(clean(reference).strip(), clean(hypothesis).strip()) for reference, hypothesis in pairs]
    counted = [jiwer.process_characters(*pair) for pair in cleaned if pair[0]]
    errors = np.array([c.substitutions + c.deletions + c.insertions for c in counted], dtype=float)
    characters = np.array([c.substitutions + c.deletions + c.hits for c in counted], dtype=float)
    if not counted:
        raise ValueError("No reference has a letter in it.")
    return ratio(errors, characters)


def normalised(text: str) -> str:
    """A transcript in lower case, without punctuation, its numbers digit by digit."""
    digits = re.sub(r"\bones?\b", "1", _normaliser()(text))
    return " ".join(re.sub(r"(?<=\d)(?=\d)", " ", digits).split())


def likeness(pairs: Sequence[tuple[str, str]]) -> Figure:
    """Mean chrF (Popovic, 2015), 0 to 1, of (reference, translation) pairs, case and all."""
    metric = CHRF()
    scores = [metric.sentence_score(translation, [reference]).score / 100 for reference, translation in pairs]
    return mean(np.array(scores))


def bootstrap(statistic: Callable[[np.ndarray], float], size: int) -> list[float]:
    """95 % percentile interval of a statistic over resampled indices."""
    generator = np.random.default_rng(0)
    drawn = [statistic(generator.integers(0, size, size)) for _ in range(BOOTSTRAPS)]
    return [float(value) for value in np.percentile(drawn, [2.5, 97.5])]


@cache
def _normaliser() -> EnglishTextNormalizer:
    return EnglishTextNormalizer({})
