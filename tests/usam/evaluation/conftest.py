"""An engine that depends on what it hears, and clips of every kind."""

from pathlib import Path

import pytest
import torch

from tests import tiny
from tests.usam.evaluation.made import make_clip
from usam.engine.engine import Engine
from usam.evaluation.clips import TestSet, mixed, silent


@pytest.fixture
def attentive(tmp_path: Path) -> Engine:
    """A tiny engine whose LLM and router heed what they get: freshly initialised, both hardly do."""
    engine = tiny.engine(tmp_path)
    with torch.no_grad():
        for parameter in engine.model.llm.get_decoder().layers.parameters():
            if parameter.dim() > 1:
                parameter.mul_(12)
        engine.model.adapter.projector.router[-1].weight.mul_(30)
    return engine


@pytest.fixture
def clips() -> TestSet:
    """A few clips of every kind, of very different lengths."""
    spoken = [
        make_clip("speech", 0.3 + 0.7 * seed, seed, source="fsdd", transcript=f"number {seed}")
        for seed in range(4)
    ]
    sounds = [
        make_clip("sound", 0.5, 10 + i, label=name) for i, name in enumerate(("dog", "rain", "door", "cat"))
    ]
    music = [
        make_clip("music", 1.1, 20 + i, label=name)
        for i, name in enumerate(("flute", "piano", "tuba", "oboe"))
    ]
    single = [*spoken, *sounds, *music]
    return TestSet(single, list(mixed(single, 2)), list(silent(2)))
