"""Significance, calibration and the contrastive loss against hand-made values."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny
from usam.adapter.saclm import SACLM, alignment, masked_mean, minmax, triplet


@pytest.fixture
def saclm() -> SACLM:
    torch.manual_seed(0)
    return SACLM(tiny.config()).eval()


def real(*shape: int) -> torch.Tensor:
    return torch.ones(*shape, dtype=torch.bool)


@torch.inference_mode()
def test_significance_is_the_papers_formula(saclm: SACLM) -> None:
    audio, text = torch.randn(2, 6, 32), torch.randn(2, 3, 32)
    scores = saclm.significance(audio, real(2, 6), text, real(2, 3))
    cosine = torch.cosine_similarity(audio[0], text[0].mean(0)[None])
    relevance = (cosine - cosine.min()) / (cosine.max() - cosine.min())
    cosine = torch.cosine_similarity(audio[0], audio[0].mean(0)[None])
    saliency = (cosine - cosine.min()) / (cosine.max() - cosine.min())
    predictive = saclm.predictor(audio[0])[:, 0].sigmoid()
    torch.testing.assert_close(scores.text_relevance[0], relevance)
    torch.testing.assert_close(scores.audio_saliency[0], saliency)
    torch.testing.assert_close(scores.predictive[0], predictive)
    torch.testing.assert_close(scores.total[0], 0.5 * predictive + 0.25 * (relevance + saliency))


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(1, 20), min_size=2, max_size=4), loudness=st.floats(0.01, 100))
@torch.inference_mode()
def test_a_clips_scores_do_not_depend_on_its_neighbours(lengths: list[int], loudness: float) -> None:
    torch.manual_seed(0)
    saclm = SACLM(tiny.config()).eval()
    audio = torch.full((len(lengths), max(lengths), 32), loudness)
    mask = torch.zeros(audio.shape[:2], dtype=torch.bool)
    for row, length in enumerate(lengths):
        audio[row, :length] = loudness * torch.randn(length, 32)
        mask[row, :length] = True
    text = torch.randn(len(lengths), 4, 32)
    together = saclm.significance(audio, mask, text, real(len(lengths), 4))
    for row, length in enumerate(lengths):
        alone = saclm.significance(
            audio[row : row + 1, :length], real(1, length), text[row : row + 1], real(1, 4)
        )
        torch.testing.assert_close(together.total[row, :length], alone.total[0], atol=1e-5, rtol=1e-4)
        assert ((alone.total >= 0) & (alone.total <= 1)).all()


@torch.inference_mode()
def test_minmax_is_per_clip_and_ignores_padding() -> None:
    scores = torch.tensor([[1.0, 2.0, 3.0, 99.0], [-10.0, 0.0, 10.0, 5.0]])
    mask = torch.tensor([[True, True, True, False], [True, True, True, True]])
    expected = torch.tensor([[0.0, 0.5, 1.0, 0.0], [0.0, 0.5, 1.0, 0.75]])
    torch.testing.assert_close(minmax(scores, mask), expected)


def test_equal_scores_are_neither_high_nor_low() -> None:
    assert minmax(torch.full((1, 3), 0.7), real(1, 3)).tolist() == [[0.5, 0.5, 0.5]]
    assert minmax(torch.tensor([[0.2]]), real(1, 1)).tolist() == [[0.5]]


def test_masked_mean_of_nothing_is_zero_and_not_nan() -> None:
    assert masked_mean(torch.ones(1, 2, 3), torch.zeros(1, 2).bool()).tolist() == [[0.0, 0.0, 0.0]]


@torch.inference_mode()
def test_calibration_ignores_redundant_tokens(saclm: SACLM) -> None:
    audio = torch.randn(1, 6, 32)
    kept = torch.tensor([[True, False, True, True, False, False]])
    before = saclm.calibrate(audio, real(*kept.shape), kept)
    audio[:, ~kept[0]] = 100 * torch.randn(1, 3, 32)
    assert before.shape == (1, 4, 32)
    torch.testing.assert_close(saclm.calibrate(audio, real(*kept.shape), kept), before)
    audio[0, 2] += 1
    assert not torch.allclose(saclm.calibrate(audio, real(*kept.shape), kept), before)


@torch.inference_mode()
def test_a_clip_of_redundant_tokens_is_still_aggregated(saclm: SACLM) -> None:
    audio = torch.randn(1, 6, 32)
    slots = saclm.calibrate(audio, real(1, 6), torch.zeros(1, 6).bool())
    assert slots.isfinite().all()
    torch.testing.assert_close(slots, saclm.calibrate(audio, real(1, 6), real(1, 6)))


def test_triplet_of_a_hand_made_batch() -> None:
    """Margin 0.2. Row 0: 0.2 + 0.5 - 0.9 < 0; row 1: 0.2 + 0.6 - 0.4 = 0.4; columns 0.2 + 0.6 - 0.9 < 0 and
    0.2 + 0.5 - 0.4 = 0.3. Means 0.2 and 0.15, averaged 0.175."""
    similarity = torch.tensor([[0.9, 0.5], [0.6, 0.4]])
    assert triplet(similarity, 0.2).item() == pytest.approx(0.175)


@settings(max_examples=30, deadline=None)
@given(size=st.integers(2, 8), shift=st.floats(0.21, 5))
def test_the_positive_is_never_a_negative(size: int, shift: float) -> None:
    """A negative that were the positive itself would cost the margin; here no other pair costs anything."""
    assert triplet(shift * torch.eye(size), 0.2).item() == 0.0


def test_a_batch_of_one_has_no_negatives() -> None:
    assert triplet(torch.tensor([[0.3]]), 0.2).item() == 0.0


def test_alignment_is_the_mean_of_best_matches_both_ways() -> None:
    audio = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
    text = torch.tensor([[[3.0, 0.0], [9.0, 9.0]]])
    # Only the first word is real: slots match it 1 and 0, the word's best slot 1.
    assert alignment(audio, text, torch.tensor([[True, False]])).item() == pytest.approx((0.5 + 1.0) / 2)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.01, 1e4))
def test_similarities_are_bounded(scale: float) -> None:
    torch.manual_seed(0)
    similarity = alignment(scale * torch.randn(3, 4, 32), scale * torch.randn(3, 5, 32), real(3, 5))
    assert similarity.shape == (3, 3)
    assert similarity.abs().max() <= 1 + 1e-5


def test_a_matched_batch_costs_less_than_a_shuffled_one(saclm: SACLM) -> None:
    text = torch.nn.functional.one_hot(torch.arange(4) * 8, 32).float()[:, None]
    audio = text.expand(4, 6, 32) + 0.01 * torch.randn(4, 6, 32)
    matched = saclm.loss(audio, real(4, 6), text, real(4, 1))
    shuffled = saclm.loss(audio, real(4, 6), text.roll(1, 0), real(4, 1))
    assert matched < shuffled - 0.5


def test_the_loss_trains_the_significance_through_the_hard_choice(saclm: SACLM) -> None:
    saclm.loss(torch.randn(3, 6, 32), real(3, 6), torch.randn(3, 4, 32), real(3, 4)).backward()
    assert saclm.predictor[0].weight.grad.norm() > 0
    assert saclm.slots.weight.grad.norm() > 0


@torch.inference_mode()
def test_a_wholly_redundant_clip_is_aggregated_without_its_padding(saclm: SACLM) -> None:
    audio, mask = torch.randn(1, 6, 32), real(1, 6)
    mask[0, 4:] = False
    slots = saclm.calibrate(audio, mask, torch.zeros(1, 6).bool())
    torch.testing.assert_close(slots, saclm.calibrate(audio[:, :4], real(1, 4), real(1, 4)))
