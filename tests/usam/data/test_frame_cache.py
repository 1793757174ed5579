"""Frames are kept by what they were computed from: the clip's content, the span of it, and the encoders."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import nn
from transformers import WhisperConfig

from tests import tiny
from usam.data.corpus import IMAGINED, Example
from usam.data.frame_cache import FrameCache, encoder_fingerprint
from usam.encoders import Whisper
from usam.encoders.whisper import FROZEN_LAYERS

NAMES = ("speech", "audio", "music")


@pytest.fixture
def encoders() -> list[tiny.ToyEncoder]:
    return [
        tiny.ToyEncoder(name, dim, rate) for name, dim, rate in zip(NAMES, tiny.DIMS, tiny.RATES, strict=True)
    ]


@pytest.fixture
def example(tmp_path: Path) -> Example:
    clip = record(tmp_path / "sound/own/clip.flac", seed=0)
    return Example(clip, 1.0, "sound", None, "rain", "group", "own", "CC0", "")


def record(file: Path, seed: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, np.random.default_rng(seed).uniform(-0.5, 0.5, 16_000), 16_000)
    return file


def test_frames_are_those_of_the_model_and_computed_once(
    tmp_path: Path, encoders: list[tiny.ToyEncoder], example: Example
) -> None:
    for _ in range(2):  # the second time from the disk
        cache = FrameCache(tmp_path / "frames", encoders)
        assert list(cache.build([example])) == [example]
    assert encoders[0].calls == 1
    frames = cache.frames(example, NAMES)
    assert torch.allclose(frames, tiny.model().frames(example.waveform()), atol=1e-3)
    assert cache.frame_count(example) == len(frames) == 50


def test_a_clip_replaced_under_its_name_is_encoded_anew(
    tmp_path: Path, encoders: list[tiny.ToyEncoder], example: Example
) -> None:
    cache = FrameCache(tmp_path / "frames", encoders)
    list(cache.build([example]))
    before = cache.frames(example, NAMES)
    record(example.path, seed=1)
    later = FrameCache(tmp_path / "frames", encoders)
    assert not later.has(example)
    list(later.build([example]))
    assert not torch.allclose(later.frames(example, NAMES), before, atol=0.01)


def test_other_weights_of_an_encoder_find_no_frames_of_before(
    tmp_path: Path, encoders: list[tiny.ToyEncoder], example: Example
) -> None:
    list(FrameCache(tmp_path / "frames", encoders).build([example]))
    encoders[1].projection.mul_(1.5)
    assert not FrameCache(tmp_path / "frames", encoders).has(example)


def test_another_span_is_another_clip_and_another_place_is_not(
    tmp_path: Path, encoders: list[tiny.ToyEncoder], example: Example
) -> None:
    cache = FrameCache(tmp_path / "frames", encoders)
    list(cache.build([example]))
    assert not cache.has(replace(example, span=(0.0, 0.5)))
    assert cache.has(replace(example, path=record(tmp_path / "sound/other/copy.flac", seed=0)))


def test_clips_that_cannot_be_read_are_left_out(
    tmp_path: Path, encoders: list[tiny.ToyEncoder], example: Example
) -> None:
    broken = replace(example, path=tmp_path / "broken.flac")
    broken.path.write_bytes(b"no audio")
    gone = replace(example, path=tmp_path / "gone.flac")
    assert list(FrameCache(tmp_path / "frames", encoders).build([gone, broken, example])) == [example]


def test_what_has_no_audio_is_known_by_its_name(tmp_path: Path, encoders: list[tiny.ToyEncoder]) -> None:
    cache = FrameCache(tmp_path / "frames", encoders)
    one = Example(tmp_path / "001_0", 2.6, "sound", None, "dog", "group", IMAGINED, "", "")
    assert not cache.has(one)
    cache.store(cache.file(one), torch.zeros(16_000))
    assert cache.has(one)
    assert not cache.has(replace(one, path=tmp_path / "001_1"))


def test_a_lora_merged_into_the_speech_encoder_is_part_of_the_fingerprint() -> None:
    sizes = WhisperConfig(
        d_model=16, encoder_layers=FROZEN_LAYERS + 1, encoder_attention_heads=2, encoder_ffn_dim=32
    )
    whisper = Whisper(sizes).requires_grad_(False)
    before = encoder_fingerprint([whisper])
    assert encoder_fingerprint([whisper]) == before
    assert encoder_fingerprint([whisper.to(torch.bfloat16)]) != before
    whisper.float()
    nn.init.normal_(whisper.encoder.layers[-1].fc1.weight)
    assert encoder_fingerprint([whisper]) != before
