"""Clips for the evaluation's tests."""

from tests import tiny
from usam.evaluation.clips import TestClip


def make_clip(kind: str, seconds: float = 0.5, seed: int = 0, **truth: str) -> TestClip:
    return TestClip(f"{kind} {seed}", frozenset({kind}), tiny.clip(seconds, seed).waveform, **truth)
