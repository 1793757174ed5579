"""Quiet clips and wild samples."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from usam.audio.clip import load_clip
from usam.audio.level import leveled
from usam.audio.samples import SAMPLE_RATE
from usam.data.derived.silence import nothing

CLIPS = Path(__file__).parents[2] / "clips"


@pytest.fixture(scope="module", params=["speech_jail.ogg", "guitar.ogg", "piano.ogg"])
def heard(request: pytest.FixtureRequest) -> np.ndarray:
    return load_clip(CLIPS / request.param).waveform.numpy()


@pytest.mark.parametrize("down", [40, 50, 60])
def test_a_clip_that_is_far_too_quiet_is_raised_to_the_level_of_clear_speech(
    heard: np.ndarray, down: int
) -> None:
    clip = load_clip((SAMPLE_RATE, heard * np.float32(10 ** (-down / 20))))
    raised = clip.waveform.numpy()
    assert clip.gain_db == pytest.approx(down, abs=20)
    assert 0.1 < np.abs(raised).max() <= 1.0
    assert np.corrcoef(raised, heard)[0, 1] > 0.99


def test_a_clip_of_usual_level_is_left_alone(heard: np.ndarray) -> None:
    for down in (0, 6, 12):
        clip = load_clip((SAMPLE_RATE, heard * np.float32(10 ** (-down / 20))))
        assert clip.gain_db == 0.0
        np.testing.assert_array_equal(clip.waveform.numpy(), heard * np.float32(10 ** (-down / 20)))


@pytest.mark.parametrize("wild", [0.9, 50.0, 1e6])
@pytest.mark.parametrize("down", [0, 50])
def test_one_wild_sample_does_not_decide_the_level(heard: np.ndarray, wild: float, down: int) -> None:
    samples = heard * np.float32(10 ** (-down / 20))
    there = len(samples) // 2
    samples[there] = wild
    raised = np.delete(load_clip((SAMPLE_RATE, samples)).waveform.numpy(), there)
    assert np.corrcoef(raised, np.delete(heard, there))[0, 1] > 0.98
    assert np.square(raised).mean() > np.square(heard).mean() / 30


def test_a_clip_beyond_full_scale_is_turned_down_without_clipping(heard: np.ndarray) -> None:
    clip = load_clip((SAMPLE_RATE, heard * np.float32(30_000.0)))
    assert clip.gain_db < 0
    np.testing.assert_allclose(clip.waveform.numpy(), heard / np.abs(heard).max(), atol=1e-5)


@pytest.mark.parametrize("seed", range(40))
def test_silence_hiss_and_hum_are_not_raised(seed: int) -> None:
    assert leveled(nothing(seed).numpy())[1] == 0.0


@given(
    arrays.arrays(
        np.float32, st.integers(0, 4_000), elements=st.floats(-1e9, 1e9, width=32, allow_subnormal=False)
    )
)
def test_any_samples_end_within_full_scale_and_are_then_left_alone(samples: np.ndarray) -> None:
    once, _ = leveled(samples)
    assert once.dtype == np.float32
    assert len(once) == len(samples)
    assert np.abs(once).max(initial=0.0) <= 1.0
    again, gain_db = leveled(once)
    assert gain_db == 0.0
    np.testing.assert_array_equal(again, once)
