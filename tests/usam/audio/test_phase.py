"""Opposite phase in a part of a clip, or beside hum, music or noise that both channels share."""

import numpy as np
import pytest

from tests.usam.audio.test_clip import peak, tone
from usam.audio.clip import load_clip
from usam.audio.samples import SAMPLE_RATE

VOICE = tone(700, 4.0, SAMPLE_RATE, 0.2)


def heard(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return load_clip((SAMPLE_RATE, np.stack([left, right], 1))).waveform.numpy()


def level(wave: np.ndarray, hertz: float) -> float:
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(wave)) / SAMPLE_RATE)
    return float(2 * np.abs((wave * turns).mean()))


SHARED = {
    "hum": tone(50, 4.0, SAMPLE_RATE, 0.4),
    "whistle": tone(6000, 4.0, SAMPLE_RATE, 0.3),
    "noise": np.random.default_rng(0).normal(0, 0.02, 64_000).astype(np.float32),
}


@pytest.mark.parametrize("beside", SHARED.values(), ids=SHARED)
def test_a_voice_in_opposite_phase_is_heard_beside_what_both_channels_share(beside: np.ndarray) -> None:
    assert level(heard(VOICE + beside, beside - VOICE), 700) == pytest.approx(0.2, rel=0.05)


def test_opposite_phase_in_a_part_of_the_clip_is_mended_there_alone() -> None:
    sign = np.where(np.arange(len(VOICE)) < 32_000, 1, -1).astype(np.float32)
    wave = heard(VOICE, sign * VOICE)
    assert level(wave[:31_000], 700) == pytest.approx(0.2, rel=0.05)
    assert level(wave[33_000:], 700) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("right", [0 * VOICE, 0.5 * VOICE, np.roll(VOICE, 4)])
def test_ordinary_stereo_stays_the_mean(right: np.ndarray) -> None:
    assert np.array_equal(heard(VOICE, right), (VOICE + right) / np.float32(2))


def test_hum_alone_in_opposite_phase_beside_a_voice_is_not_preferred() -> None:
    hum = tone(50, 4.0, SAMPLE_RATE, 0.4)
    clip = load_clip((SAMPLE_RATE, np.stack([VOICE + hum, VOICE - hum], 1)))
    assert peak(clip.waveform)[0] == pytest.approx(700, abs=1)
