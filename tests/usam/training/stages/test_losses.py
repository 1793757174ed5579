"""The losses of stage 1 on cases small enough to reckon by hand."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests import tiny
from usam.adapter.tokens import AudioTokens
from usam.model.model import USAM
from usam.training.stages.losses import (
    AlignmentError,
    blank_loss,
    ctc_loss,
    routing_loss,
    saclm_loss,
    token_word_loss,
    tokens_needed,
)

A, B, BLANK = 0, 1, 2
EVEN = torch.tensor([0.2, 0.3, 0.5])  # of a, b and the blank


def classes(*pieces: int) -> Tensor:
    return torch.tensor(pieces, dtype=torch.long)


def steady(tokens: int, odds: Tensor = EVEN) -> Tensor:
    """Log-probabilities [1, tokens, V + 1] that are the same for every token."""
    return odds.log().expand(1, tokens, -1)


def heard(*lengths: int) -> Tensor:
    """Mask [B, L] of clips with so many real tokens."""
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def audio_tokens(model: USAM, lengths: tuple[int, ...], seed: int = 0) -> AudioTokens:
    """Random tokens with noise in the padding."""
    torch.manual_seed(seed)
    size = (len(lengths), max(lengths))
    return AudioTokens(
        torch.randn(*size, model.adapter.config.llm_dim),
        heard(*lengths),
        torch.rand(*size, 3).softmax(-1),
        None,
    )


def padded(audio: AudioTokens, extra: int) -> AudioTokens:
    """The same clips with more noise behind them."""
    count, _, dim = audio.tokens.shape
    return replace(
        audio,
        tokens=torch.cat([audio.tokens, torch.randn(count, extra, dim) * 9], 1),
        mask=torch.cat([audio.mask, torch.zeros(count, extra, dtype=torch.bool)], 1),
        routing=torch.cat([audio.routing, torch.rand(count, extra, 3)], 1),
    )


# CTC


@pytest.mark.parametrize(
    ("tokens", "target", "probability"),
    [
        (1, (A,), 0.2),
        (2, (A,), 0.2 * 0.2 + 2 * 0.2 * 0.5),  # aa, a-, -a
        (2, (A, B), 0.2 * 0.3),
        (3, (A, A), 0.2 * 0.5 * 0.2),  # a-a alone: without the blank it would be one a
        (2, (), 0.5 * 0.5),
    ],
)
def test_ctc_is_the_probability_of_all_ways_to_say_it(
    tokens: int, target: tuple[int, ...], probability: float
) -> None:
    loss = ctc_loss(steady(tokens), heard(tokens), [classes(*target)])
    assert float(loss) == pytest.approx(-math.log(probability) / max(1, len(target)), abs=1e-5)


def test_ctc_weighs_every_piece_alike_whichever_clip_it_is_in() -> None:
    log_probs, mask = steady(2).expand(2, -1, -1), heard(2, 2)
    loss = ctc_loss(log_probs, mask, [classes(A), classes(A, B)])
    assert float(loss) == pytest.approx(-(math.log(0.24) + math.log(0.06)) / 3, abs=1e-5)


def test_padding_has_no_part_in_ctc() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 3, requires_grad=True)
    mask, target = heard(5, 3), [classes(A, B), classes(B)]
    loss = ctc_loss(logits.log_softmax(-1), mask, target)
    loss.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[1, 3:].any()
    assert logits.grad[0].any(-1).all()
    alone = ctc_loss(logits[1:, :3].log_softmax(-1), heard(3), target[1:])
    both = ctc_loss(logits[:1].log_softmax(-1), heard(5), target[:1])
    assert float(loss.detach()) == pytest.approx(float((alone + 2 * both).detach() / 3), abs=1e-5)


def test_a_step_against_ctcs_gradient_makes_the_transcript_likelier() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 6, 3, requires_grad=True)
    first = ctc_loss(logits.log_softmax(-1), heard(6), [classes(A, B, A)])
    first.backward()
    assert logits.grad is not None
    assert ctc_loss((logits - 0.5 * logits.grad).log_softmax(-1), heard(6), [classes(A, B, A)]) < first


@pytest.mark.parametrize(
    ("tokens", "target"),
    [(1, (A, B)), (2, (A, A)), (4, (A, A, B, B)), (0, (A,))],
)
def test_fewer_tokens_than_the_transcript_needs_are_refused(tokens: int, target: tuple[int, ...]) -> None:
    enough, short = steady(9).expand(2, -1, -1), heard(9, tokens)
    with pytest.raises(AlignmentError, match=f"{tokens} audio tokens.*{tokens_needed(classes(*target))}"):
        ctc_loss(enough, short, [classes(A), classes(*target)])


@pytest.mark.parametrize(
    ("target", "needed"), [((), 0), ((A,), 1), ((A, B), 2), ((A, A), 3), ((A, A, A, B), 6)]
)
def test_as_many_tokens_as_needed_are_enough(target: tuple[int, ...], needed: int) -> None:
    assert tokens_needed(classes(*target)) == needed
    assert torch.isfinite(ctc_loss(steady(max(needed, 1)), heard(max(needed, 1)), [classes(*target)]))


# Words of single tokens


def test_a_tokens_words_are_a_cross_entropy_averaged_over_its_clip_then_over_clips() -> None:
    log_probs = steady(2).expand(2, -1, -1)
    words = torch.eye(3)[torch.tensor([[A, BLANK], [B, B]])]
    loss = token_word_loss(log_probs, heard(2, 1), words)
    of_first, of_second = -(math.log(0.2) + math.log(0.5)) / 2, -math.log(0.3)
    assert float(loss) == pytest.approx((of_first + of_second) / 2, abs=1e-5)


def test_padding_has_no_part_in_the_loss_of_words() -> None:
    logits = torch.zeros(1, 4, 3, requires_grad=True)
    token_word_loss(
        logits.log_softmax(-1), heard(2, 4)[:1], torch.eye(3)[torch.zeros(1, 4).long()]
    ).backward()
    assert logits.grad is not None
    assert (logits.grad[0, :2, A] < 0).all()
    assert not logits.grad[0, 2:].any()


# Routing


def test_routing_is_held_against_the_expert_of_the_kind() -> None:
    model = tiny.model()
    routing = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]])
    audio = replace(audio_tokens(model, (2, 1)), routing=torch.stack([routing, routing]))
    loss = routing_loss(audio, ["speech", "sound"])
    assert float(loss) == pytest.approx(-(math.log(0.4) + math.log(0.2)) / 2, abs=1e-5)
    assert float(routing_loss(audio, ["music", "music"])) == pytest.approx(
        -(math.log(0.2) + math.log(0.1)) / 2, abs=1e-5
    )


def test_padding_has_no_part_in_routing_and_no_weight_at_all_is_no_infinity() -> None:
    audio = audio_tokens(tiny.model(), (3, 5))
    kinds = ["speech", "music"]
    more = routing_loss(padded(audio, 4), kinds)
    assert float(more) == pytest.approx(float(routing_loss(audio, kinds)), abs=1e-6)
    alone = replace(audio, routing=torch.eye(3)[0].expand_as(audio.routing))
    assert torch.isfinite(routing_loss(alone, ["music", "music"]))


# SACLM


def test_padding_has_no_part_in_saclm() -> None:
    model = tiny.model()
    audio, texts = audio_tokens(model, (6, 4)), [classes(5, 6, 7), classes(9)]
    loss = saclm_loss(model, audio, texts)
    assert float(saclm_loss(model, padded(audio, 5), texts)) == pytest.approx(float(loss), abs=1e-5)


def test_saclm_is_smaller_for_clips_beside_their_own_texts() -> None:
    model = tiny.model()
    texts = [classes(5, 6), classes(70, 80)]
    spoken = model.embed_text(texts)[0]
    audio = replace(audio_tokens(model, (4, 4)), tokens=spoken.repeat(1, 2, 1))
    own, other = saclm_loss(model, audio, texts), saclm_loss(model, audio, texts[::-1])
    assert own < other - 0.1


def test_saclm_of_a_single_clip_has_no_negatives_but_keeps_the_mean_at_a_half() -> None:
    model = tiny.model()
    audio, texts = audio_tokens(model, (5,)), [classes(5, 6)]
    mean = model.significance(audio, texts).total.mean()
    assert float(saclm_loss(model, audio, texts)) == pytest.approx(float((mean - 0.5).square()), abs=1e-6)


def test_saclms_loss_reaches_the_tokens_and_the_predictor() -> None:
    model = tiny.model()
    model.adapter.saclm.requires_grad_(True)
    audio = audio_tokens(model, (6, 4))
    audio.tokens.requires_grad_(True)
    saclm_loss(model, audio, [classes(5, 6, 7), classes(9)]).backward()
    assert audio.tokens.grad is not None
    assert audio.tokens.grad[audio.mask].any(-1).all()
    assert not audio.tokens.grad[~audio.mask].any()
    assert all(p.grad is not None and p.grad.any() for p in model.adapter.saclm.predictor.parameters())


# Blanks


def blanks(model: USAM, odds: list[float]) -> Tensor:
    """Log-probabilities [1, L, V + 1] with these odds of the blank."""
    share = torch.tensor(odds)
    return torch.stack([(1 - share) / 2, (1 - share) / 2, share], -1).log()[None]


def test_the_predictive_score_is_held_against_what_ctc_leaves_for_words() -> None:
    model = tiny.model()
    audio, texts = audio_tokens(model, (3,)), [classes(5)]
    scores = model.significance(audio, texts).predictive[0].tolist()
    expected = [
        -((1 - blank) * math.log(score) + blank * math.log(1 - score))
        for blank, score in zip((0.9, 0.5, 0.01), scores, strict=True)
    ]
    loss = blank_loss(model, audio, blanks(model, [0.9, 0.5, 0.01]), texts)
    assert float(loss) == pytest.approx(sum(expected) / 3, abs=1e-5)


def test_blanks_teach_the_score_and_learn_nothing_from_it() -> None:
    model = tiny.model()
    model.adapter.saclm.requires_grad_(True)
    audio = audio_tokens(model, (4, 2))
    logits = torch.randn(2, 4, 3, requires_grad=True)
    texts = [classes(5), classes(6)]
    loss = blank_loss(model, audio, logits.log_softmax(-1), texts)
    loss.backward()
    assert logits.grad is None or not logits.grad.any()
    assert all(p.grad is not None and p.grad.any() for p in model.adapter.saclm.predictor.parameters())
    more = torch.cat([logits, torch.randn(2, 3, 3)], 1).log_softmax(-1)
    assert float(blank_loss(model, padded(audio, 3), more, texts).detach()) == pytest.approx(
        float(loss.detach()), abs=1e-6
    )
