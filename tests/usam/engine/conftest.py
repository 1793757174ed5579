"""A recording that is heard in more than one span."""

import wave
from pathlib import Path

import numpy as np
import pytest

from usam.audio.samples import SAMPLE_RATE


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        samples = np.random.default_rng(0).integers(-9000, 9000, 65 * SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path
