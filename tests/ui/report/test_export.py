"""One answer as a table."""

import pytest
import torch

from tests.fake_engine import trace_of
from ui.report.export import numbers_of
from usam.audio.clip import Clip
from usam.audio.samples import SAMPLE_RATE


def clip(seconds: float = 2.0, seed: int = 0) -> Clip:
    waveform = torch.rand(int(seconds * SAMPLE_RATE), generator=torch.Generator().manual_seed(seed)) - 0.5
    return Clip(waveform, 0.0, seconds, seconds, f"{seed:064x}")


def test_the_table_has_every_number_of_every_token() -> None:
    trace = trace_of(clip(2.0), "question")
    table = numbers_of(trace)
    assert len(table) == len(trace.tokens)
    assert table[list(trace.experts)].sum(axis=1).tolist() == pytest.approx([1.0] * len(table), abs=2e-3)
    assert (table["redundant"] == "yes").tolist() == [token.redundant for token in trace.tokens]
    assert table["to s"].iloc[-1] == 2.0
