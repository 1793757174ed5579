"""How loud a clip is over all its length: the picture that the span of a long clip is chosen on."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from usam.audio import envelope as module
from usam.audio import ffmpeg
from usam.audio.envelope import FINEST, MOST_PARTS, envelope
from usam.errors import AudioError

RATE = 16_000
SECONDS = 40
LOUD = (12.0, 15.0)
"""Where the clip is loud, in seconds; it is quiet before and after."""


def write(path: Path, samples: np.ndarray, codec: str) -> Path:
    """float [samples] at 16 kHz as a file of the format its name ends in."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype("<i2")[None], "s16", "mono")
        frame.sample_rate = RATE
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    return path


def clip(seconds: float = SECONDS) -> np.ndarray:
    times = np.arange(round(seconds * RATE)) / RATE
    level = np.where((times >= LOUD[0]) & (times < LOUD[1]), 0.8, 0.1)
    return level * np.sin(2 * np.pi * 440 * times)


FORMATS = [
    ("a.wav", "pcm_s16le"),
    ("a.wav", "pcm_u8"),
    ("a.mp3", "libmp3lame"),
    ("a.ogg", "libopus"),
    ("a.flac", "flac"),
]


@pytest.mark.parametrize(("name", "codec"), FORMATS)
@pytest.mark.parametrize("most_decoded", [600.0, 20.0])
def test_it_is_high_where_the_clip_is_loud_also_where_only_a_sample_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, codec: str, most_decoded: float
) -> None:
    monkeypatch.setattr(module, "MOST_DECODED", most_decoded)
    monkeypatch.setattr(module, "FINEST", 0.5)  # parts of many packets, as of a clip of hours
    peaks = envelope(write(tmp_path / name, clip(), codec), SECONDS).astype(int)
    assert len(peaks) == 2 * SECONDS
    times = (np.arange(len(peaks)) + 0.5) / 2
    loud = (times > LOUD[0] + 0.5) & (times < LOUD[1] - 0.5)
    quiet = (times < LOUD[0] - 0.5) | (times > LOUD[1] + 0.5)
    assert peaks[loud].min() > 200
    assert 10 < np.median(peaks[quiet]) < 60
    assert peaks[quiet].max() < 90


def test_parts_and_decoding_are_bounded_however_long_the_clip_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = 0
    frames: Callable[..., list[av.AudioFrame]] = ffmpeg._frames

    def counted(packet: "av.Packet[av.AudioStream]") -> list[av.AudioFrame]:
        nonlocal decoded
        found = frames(packet)
        decoded += sum(frame.samples for frame in found)
        return found

    monkeypatch.setattr(ffmpeg, "_frames", counted)
    monkeypatch.setattr(module, "MOST_DECODED", 4.0)
    monkeypatch.setattr(module, "MOST_PARTS", 20)
    file = write(tmp_path / "a.wav", clip(), "pcm_s16le")
    assert len(envelope(file, SECONDS)) == len(envelope(file, SECONDS, fine_up_to=SECONDS - 1)) == 20
    assert decoded / RATE < 16
    assert len(envelope(file, SECONDS, fine_up_to=SECONDS)) == SECONDS / FINEST
    assert decoded / RATE > SECONDS
    monkeypatch.undo()
    assert len(envelope(file, 9 * 3600)) == MOST_PARTS


def test_silence_is_flat_and_one_wild_sample_flattens_nothing(tmp_path: Path) -> None:
    assert not envelope(write(tmp_path / "a.wav", np.zeros(RATE * 5), "pcm_s16le"), 5.0).any()
    samples = clip() / 4
    samples[RATE] = 1.0
    peaks = envelope(write(tmp_path / "b.wav", samples, "pcm_s16le"), SECONDS)
    assert peaks.max() == 255
    assert (peaks > 200).sum() > 50


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"not a clip")
    with pytest.raises(AudioError, match="damaged"):
        envelope(tmp_path / "a.wav", 60.0)
