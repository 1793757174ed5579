"""Windows, tokens and masks: nothing that is heard is lost, nothing that is padding is heard."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny
from usam.adapter.adapter import USAMAdapter
from usam.adapter.qformer import QFormer
from usam.config import FRAME_RATE, USAMConfig
from usam.encoders.frames import align
from usam.errors import RequestError


@pytest.fixture(scope="module")
def adapter() -> USAMAdapter:
    return tiny.adapter()


def noise(length: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(length, sum(tiny.DIMS), generator=torch.Generator().manual_seed(seed))


def heard(frames: torch.Tensor) -> torch.Tensor:
    return torch.ones(1, len(frames), dtype=torch.bool)


@pytest.mark.parametrize(("frames", "tokens"), [(1, 1), (4, 1), (5, 2), (16, 4), (17, 5), (63, 16), (64, 16)])
def test_every_started_token_is_there(adapter: USAMAdapter, frames: int, tokens: int) -> None:
    encoded, mask = adapter.encode(noise(frames)[None], torch.ones(1, frames, dtype=torch.bool))
    assert encoded.shape == (1, tokens, adapter.config.hidden_size)
    assert mask.all()


@pytest.mark.parametrize("length", [1, 17, 30, 33])
@torch.inference_mode()
def test_the_last_frame_of_an_unfilled_window_is_heard(adapter: USAMAdapter, length: int) -> None:
    frames = noise(length)
    changed = frames.clone()
    changed[-1] += 1
    before, _ = adapter.encode(frames[None], heard(frames))
    after, _ = adapter.encode(changed[None], heard(frames))
    assert (before[0, -1] - after[0, -1]).norm() > 1e-2


@torch.inference_mode()
def test_a_window_attends_to_all_of_its_own_frames_and_no_others() -> None:
    """Without the convolution over neighbours, windows are independent of each other."""
    adapter = tiny.adapter(conv_kernel=0)
    frames = noise(48)
    before, _ = adapter.encode(frames[None], heard(frames))
    frames[31] += 1  # the last frame of the second window
    after, _ = adapter.encode(frames[None], heard(frames))
    changed = (before - after).norm(dim=-1)[0] > 1e-4
    assert changed.tolist() == [False] * 4 + [True] * 4 + [False] * 4


@torch.inference_mode()
def test_neighbours_are_heard_through_the_convolution(adapter: USAMAdapter) -> None:
    frames = noise(32)
    before, _ = adapter.encode(frames[None], heard(frames))
    frames[16] += 1
    after, _ = adapter.encode(frames[None], heard(frames))
    assert (before - after)[0, 3].norm() > 1e-4


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(1, 70), min_size=2, max_size=4), rubbish=st.floats(-100, 100))
@torch.inference_mode()
def test_tokens_do_not_depend_on_padding_or_neighbours(lengths: list[int], rubbish: float) -> None:
    adapter = tiny.adapter()
    clips = [noise(length, seed) for seed, length in enumerate(lengths)]
    frames = torch.full((len(clips), max(lengths), sum(tiny.DIMS)), rubbish)
    mask = torch.zeros(frames.shape[:2], dtype=torch.bool)
    for row, clip in enumerate(clips):
        frames[row, : len(clip)], mask[row, : len(clip)] = clip, True
    together, token_mask = adapter.encode(frames, mask)
    for row, clip in enumerate(clips):
        alone, _ = adapter.encode(clip[None], heard(clip))
        assert token_mask[row].sum() == alone.shape[1] == math.ceil(len(clip) / 4)
        torch.testing.assert_close(together[row, : alone.shape[1]], alone[0], atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_an_untrained_layer_passes_its_queries_on_unchanged() -> None:
    torch.manual_seed(0)
    layer = QFormer(tiny.config()).eval().layers[0]
    queries, frames = torch.randn(2, 3, 4, 24), torch.randn(2, 3, 16, 24)
    passed = layer(queries, frames, torch.ones(2, 3, 4).bool(), torch.ones(2, 3, 16).bool())
    assert torch.equal(passed, queries)


def test_an_untrained_layer_learns_in_every_branch() -> None:
    """Zeros at the output of a branch must not also stop its gradient."""
    torch.manual_seed(0)
    layer = QFormer(tiny.config(dropout=0.0)).layers[0]
    queries, frames = torch.randn(1, 2, 4, 24), torch.randn(1, 2, 16, 24)
    layer(queries, frames, torch.ones(1, 2, 4).bool(), torch.ones(1, 2, 16).bool()).square().sum().backward()
    for branch in (
        layer.self_attention.out,
        layer.cross_attention.out,
        layer.conv.out,
        layer.feedforward[-1],
    ):
        assert branch.weight.grad.norm() > 0


@settings(max_examples=30, deadline=None)
@given(samples=st.integers(1, 480_000))
def test_encoders_are_aligned_to_the_frame_that_holds_each_moment(samples: int) -> None:
    """Streams that tell the time of their own frames' middles come out telling nearly the same time."""
    rates = list(tiny.RATES)
    streams = []
    for rate in rates:
        count = math.ceil(samples / 16_000 * rate)
        streams.append(((torch.arange(count) + 0.5) / rate)[:, None])
    aligned = align(streams, rates, samples)
    assert aligned.shape == (math.ceil(samples / 320), 3)
    now = (torch.arange(len(aligned)) + 0.5) / FRAME_RATE
    for column, rate in enumerate(rates):
        assert (aligned[:, column] - now).abs().max() <= 0.5 / rate + 1e-4


@settings(max_examples=50, deadline=None)
@given(samples=st.integers(1_600, 480_000))
def test_the_number_of_windows_covers_the_clip(samples: int) -> None:
    config = USAMConfig()
    frames = math.ceil(samples / 16_000 * FRAME_RATE)
    tokens = math.ceil(frames / config.frames_per_token)
    windows = math.ceil(tokens / config.queries_per_window)
    assert (windows - 1) * config.window_seconds < samples / 16_000 <= windows * config.window_seconds


def test_the_configuration_refuses_sizes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="multiple"):
        USAMConfig(window_frames=16, queries_per_window=3)
    with pytest.raises(ValueError, match="name every expert"):
        USAMConfig(num_experts=2)
    with pytest.raises(RequestError, match="no preset"):
        USAMConfig.from_preset("huge")


def test_the_papers_sizes_fit_one_query_a_window() -> None:
    paper = USAMConfig(window_frames=34, queries_per_window=1)
    assert paper.window_seconds == pytest.approx(0.675, abs=0.01)
    small = USAMAdapter(tiny.config(window_frames=34, queries_per_window=1, conv_kernel=0)).eval()
    tokens, mask = small.encode(noise(70)[None], torch.ones(1, 70, dtype=torch.bool))
    assert tokens.shape[1] == mask.sum() == 3
