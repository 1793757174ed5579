"""Utterances in a row: their words in their order, from one source, made once."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from usam.audio.samples import SAMPLE_RATE
from usam.data.corpus import Example
from usam.data.derived.concatenation import write_joined


def utterance(folder: Path, source: str, word: str, seconds: float) -> Example:
    path = folder / f"{source}-{word}.wav"
    soundfile.write(path, np.full(round(seconds * SAMPLE_RATE), 0.1), SAMPLE_RATE)
    return Example(path, seconds, "speech", word, None, word, source, "CC0", "en")


def test_words_follow_one_another_as_they_are_said(tmp_path: Path) -> None:
    spoken = [utterance(tmp_path, source, source + word, 2.0) for source in "ab" for word in ("x", "y", "z")]
    noise = Example(tmp_path / "a-ax.wav", 2.0, "sound", None, "bang", "g", "a", "CC0", "en")
    first = list(write_joined(tmp_path / "joined", [*spoken, noise], 12, seed=0))
    assert len(first) == 12
    for clip in first:
        words = (clip.transcript or "").split()
        assert len({word[0] for word in words}) == 1, "one source"
        assert 6.0 <= clip.seconds == pytest.approx(soundfile.info(clip.path).duration)
        assert 2.1 * len(words) <= clip.seconds <= 2.8 * len(words)
    assert len({clip.transcript for clip in first}) > 6
    assert list(write_joined(tmp_path / "joined", spoken, 12, seed=0)) == first


def test_without_transcripts_nothing_is_joined(tmp_path: Path) -> None:
    assert list(write_joined(tmp_path, [], 5, seed=0)) == []
