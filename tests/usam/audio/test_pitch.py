"""The pitch of known sounds, and that what has none gets none."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from usam.audio.pitch import pitch_quartiles
from usam.audio.samples import SAMPLE_RATE


def voice(pitch: float, seconds: float = 0.3) -> Tensor:
    """A sawtooth of its first harmonics, as a larynx makes."""
    time = torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return sum(torch.sin(2 * math.pi * pitch * k * time) / k for k in range(1, 13)) * torch.tensor(0.3)


@settings(max_examples=15, deadline=None)
@given(st.floats(70, 400))
def test_the_pitch_of_a_voice_is_found_not_an_octave_of_it(pitch: float) -> None:
    assert pitch_quartiles(voice(pitch)).tolist() == pytest.approx([pitch] * 3, rel=0.02)


def test_quartiles_are_the_median_the_lower_and_the_upper() -> None:
    glide = torch.cat([voice(100.0), voice(200.0), voice(300.0)])
    median, lower, upper = pitch_quartiles(glide).tolist()
    assert (lower, median, upper) == pytest.approx((100, 200, 300), rel=0.02)


@pytest.mark.parametrize(
    "waveform",
    [torch.zeros(SAMPLE_RATE), torch.zeros(0), voice(150.0, 0.02), torch.full((SAMPLE_RATE,), 0.5)],
    ids=["silence", "nothing", "too short", "constant"],
)
def test_what_has_no_voice_has_no_pitch(waveform: Tensor) -> None:
    assert pitch_quartiles(waveform).tolist() == [0, 0, 0]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_noise_has_no_pitch(seed: int) -> None:
    noise = torch.randn(SAMPLE_RATE // 2, generator=torch.Generator().manual_seed(seed))
    assert pitch_quartiles(noise).tolist() == [0, 0, 0]


def test_faint_frames_beside_a_voice_are_left_out() -> None:
    hum = voice(300.0, 1.0) * 0.05
    assert pitch_quartiles(torch.cat([voice(120.0), hum])).tolist() == pytest.approx([120] * 3, rel=0.02)
