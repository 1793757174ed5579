"""Recordings as spans: they cover it, and are cut where it is quiet."""

import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from usam.audio.recording import LONGEST, OVERLAP, SHORTEST, recording_spans
from usam.audio.samples import SAMPLE_RATE
from usam.errors import AudioError


def write(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((samples * 20_000).astype("<i2").tobytes())
    return path


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, round(seconds * SAMPLE_RATE))


def test_a_recording_is_cut_in_its_pauses(tmp_path: Path) -> None:
    samples = noise(70)
    for pause in (10.0, 22.0, 45.0):
        samples[int(pause * SAMPLE_RATE) : int((pause + 0.3) * SAMPLE_RATE)] = 0
    spans = list(recording_spans(write(tmp_path / "a.wav", samples)))
    assert [span.start for span in spans] == pytest.approx([0.0, 22.15, 45.15], abs=0.2)
    assert spans[-1].end == pytest.approx(70.0)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seconds=st.floats(0.2, 130))
@example(seconds=48.5)
@example(seconds=30.05)
def test_spans_follow_one_another_to_the_end(tmp_path: Path, seconds: float) -> None:
    spans = list(recording_spans(write(tmp_path / "a.wav", noise(seconds))))
    assert spans[0].start == 0.0
    assert spans[-1].end == pytest.approx(seconds, abs=0.01)
    assert all(before.end == after.start for before, after in pairwise(spans))
    for span in spans:
        assert span.duration == pytest.approx(seconds, abs=0.01)
        assert span.offset <= span.start < span.end <= span.offset + len(span.waveform) / SAMPLE_RATE + 0.01
        assert len(span.waveform) <= LONGEST * SAMPLE_RATE
    assert all(span.end - span.start >= SHORTEST - OVERLAP for span in spans[:-1])


def test_what_cannot_be_heard_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(AudioError, match="is empty"):
        next(recording_spans(tmp_path / "a.wav"))
