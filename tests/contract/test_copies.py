"""Fingerprints of `usam.audio.fingerprint` tell `storage.export.copies` which clips are copies."""

from pathlib import Path

import av
import numpy as np
import pytest

from storage.export.copies import first_copies
from tests.serving import EXAMPLES
from usam.audio.clip import Clip, load_clip
from usam.audio.fingerprint import fingerprint
from usam.audio.resampling import resample
from usam.audio.samples import SAMPLE_RATE

CLIPS = sorted(file for file in EXAMPLES.glob("*.ogg") if not file.stem.startswith("mixed"))
"""Without the one that is made of others."""
VARIED = ("speech-new-jail", "music-fanfare", "sound-dog", "sound-siren")
"""Not the rain, noise throughout, of which codecs keep little more than its colour."""


def encoded(samples: np.ndarray, file: Path, codec: str, rate: int = SAMPLE_RATE, bits: int = 48_000) -> Clip:
    """float [samples] at 16 kHz, as they come back from a file in another format."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono", options={"b": str(bits)})
        wave = np.clip(resample(samples, SAMPLE_RATE, rate) * 32767, -32768, 32767).astype("<i2")
        frame = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
        frame.sample_rate = rate
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    return load_clip(file)


def described(name: str, clip: Clip) -> tuple[str, float, str]:
    return name, clip.end - clip.start, fingerprint(clip.waveform.numpy())


@pytest.mark.parametrize(
    ("file", "seconds"), [*((file, None) for file in VARIED), *((file, 2.0) for file in VARIED)]
)
def test_copies_are_known_in_another_format_and_rate_and_loudness(
    file: str, seconds: float | None, tmp_path: Path
) -> None:
    clip = load_clip(EXAMPLES / f"{file}.ogg", 0.0 if seconds else None, seconds)
    samples = clip.waveform.numpy()
    copies = {
        "mp3": encoded(samples, tmp_path / "a.mp3", "libmp3lame"),
        "opus": encoded(samples, tmp_path / "b.ogg", "libopus", bits=32_000),
        "cd": encoded(samples, tmp_path / "cd.wav", "pcm_s16le", 44_100),
        "telephone": encoded(samples, tmp_path / "tel.wav", "pcm_mulaw", 8_000),
        "quiet": encoded(samples * 0.1, tmp_path / "quiet.flac", "flac"),
        "loud": encoded(samples * 2, tmp_path / "loud.flac", "flac"),
    }
    found = first_copies([described("first", clip), *(described(*copy) for copy in copies.items())])
    assert found == dict.fromkeys(copies, "first")


def test_no_two_examples_and_no_two_parts_of_one_are_copies() -> None:
    clips = [(file.stem, load_clip(file)) for file in CLIPS]
    clips += [
        (f"{file.stem} {start}", load_clip(file, start, start + 2.0))
        for file in CLIPS
        if file.stem != "sound-siren"  # 2.3 s
        for start in (0.0, 2.0, 3.5)
    ]
    assert first_copies(described(*clip) for clip in clips) == {}


def test_noises_differ_and_what_sounds_the_same_throughout_has_no_fingerprint() -> None:
    noises = np.random.default_rng(0).normal(size=(20, 3 * SAMPLE_RATE)) / 10
    assert first_copies((str(n), 3.0, fingerprint(noise)) for n, noise in enumerate(noises)) == {}
    tone = np.sin(np.arange(3 * SAMPLE_RATE))
    assert fingerprint(tone) == fingerprint(tone * 0) == fingerprint(noises[0][: SAMPLE_RATE // 2]) == ""
