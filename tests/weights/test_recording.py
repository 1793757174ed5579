"""A recording of six parts, longer than what is heard at once, through the shipped weights."""

import itertools
import wave
from pathlib import Path

import jiwer
import numpy as np
import pytest

from usam.audio.clip import load_clip
from usam.audio.samples import SAMPLE_RATE, pcm16
from usam.engine.engine import Engine
from usam.schema.segments import Segment, joined

EXAMPLES = Path(__file__).parents[2] / "ui" / "examples"
PARTS = (
    "speech-new-jail",
    "sound-dog",
    "music-jazz-guitar",
    "speech-chapter-one",
    "sound-siren",
    "music-piano",
)
SPOKEN = "there was no lack of air and light for the new jail and several exercising yards"


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    return [load_clip(EXAMPLES / f"{name}.ogg").waveform.numpy() for name in PARTS]


@pytest.fixture(scope="module")
def segments(clips: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> list[Segment]:
    path = tmp_path_factory.mktemp("recording") / "six.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(pcm16(np.concatenate(clips)).tobytes())
    parts = Engine.load().transcribe(path)
    return joined(segment for part in parts for segment in part.segments)


def test_its_parts_are_found_where_they_are(segments: list[Segment], clips: list[np.ndarray]) -> None:
    assert [segment.kind for segment in segments] == [name.split("-")[0] for name in PARTS]
    borders = itertools.accumulate(len(clip) / SAMPLE_RATE for clip in clips)
    for segment, border in zip(segments, borders, strict=True):
        assert segment.end == pytest.approx(border, abs=1.0), segment.kind


def test_what_is_said_is_written_down_with_its_times(segments: list[Segment]) -> None:
    assert jiwer.wer(SPOKEN, segments[0].text.lower().rstrip(".")) < 0.15
    assert "Mrs. Rachel" in segments[3].text
    times = [word.start for segment in segments for word in segment.words]
    assert times == sorted(times)


def test_sounds_and_instruments_are_named(segments: list[Segment]) -> None:
    names = [" ".join(segment.names) for segment in segments]
    dog = ("dog", "bark", "growl", "whimper")
    for index, either in ((1, dog), (2, ("guitar",)), (4, ("siren",)), (5, ("piano",))):
        assert any(name in names[index] for name in either), names[index]
