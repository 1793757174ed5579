"""The mixture of experts: distinct experts, a sum over them, a router that always knows the question."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny
from usam.adapter.projector import TaskAwareProjector
from usam.model.model import USAM


@pytest.fixture
def projector() -> TaskAwareProjector:
    torch.manual_seed(0)
    return TaskAwareProjector(tiny.config()).eval()


def test_experts_share_no_parameter(projector: TaskAwareProjector) -> None:
    parameters = [id(p) for expert in projector.experts for p in expert.parameters()]
    storages = [p.data_ptr() for expert in projector.experts for p in expert.parameters()]
    assert len(projector.experts) == 3
    assert len(set(parameters)) == len(set(storages)) == 12


@torch.inference_mode()
def test_experts_say_different_things(projector: TaskAwareProjector) -> None:
    tokens = torch.randn(10, 24)
    first, second, third = (expert(tokens) for expert in projector.experts)
    for one, other in ((first, second), (first, third), (second, third)):
        assert (one - other).norm() > 0.1 * one.norm()


@torch.inference_mode()
def test_the_weighted_sum_is_over_experts(projector: TaskAwareProjector) -> None:
    """Experts made to answer 1, 10 and 100: a token is its own weights' sum of them."""
    for expert, value in zip(projector.experts, (1.0, 10.0, 100.0), strict=True):
        expert[-1].weight.zero_()
        expert[-1].bias.fill_(value)
    weights = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.5, 0.0], [0.2, 0.3, 0.5]]])
    mixed = projector.mix(torch.randn(1, 4, 24), weights)
    assert mixed.shape == (1, 4, 32)
    torch.testing.assert_close(mixed[0, :, 0], torch.tensor([1.0, 100.0, 5.5, 53.2]))


@settings(max_examples=20, deadline=None)
@given(tokens=st.integers(1, 50), scale=st.floats(0.01, 1000), seed=st.integers(0, 99))
@torch.inference_mode()
def test_routing_is_a_distribution_for_every_token(tokens: int, scale: float, seed: int) -> None:
    torch.manual_seed(seed)
    projector = TaskAwareProjector(tiny.config()).eval()
    audio, routing = projector(scale * torch.randn(2, tokens, 24), scale * torch.randn(2, 32))
    assert audio.shape == (2, tokens, 32)
    assert routing.shape == (2, tokens, 3)
    assert (routing >= 0).all()
    torch.testing.assert_close(routing.sum(-1), torch.ones(2, tokens))


@torch.inference_mode()
def test_the_question_reaches_late_windows_as_much_as_early_ones(projector: TaskAwareProjector) -> None:
    tokens = torch.randn(1, 1, 24).expand(1, 400, 24)
    one, other = projector.route(tokens, torch.randn(1, 32)), projector.route(tokens, torch.randn(1, 32))
    difference = (one - other).abs().sum(-1)[0]
    assert difference.min() > 1e-3
    torch.testing.assert_close(difference, difference[:1].expand(400))


@torch.inference_mode()
def test_another_question_changes_the_routing_of_the_last_window(model: USAM) -> None:
    frames = torch.randn(1, 500, sum(tiny.DIMS))
    mask = torch.ones(1, 500, dtype=torch.bool)
    routings = [
        model.embed_audio(frames, mask, [torch.tensor(model.prompts.ids(question))]).routing
        for question in ("What is said?", "Which instruments play?")
    ]
    assert (routings[0] - routings[1]).abs().amax(-1)[0, -4:].min() > 1e-4


@torch.inference_mode()
def test_given_weights_replace_the_routers(model: USAM) -> None:
    tokens, mask = model.adapter.encode(torch.randn(1, 40, sum(tiny.DIMS)), torch.ones(1, 40).bool())
    prompt = torch.randn(1, 32)
    model.adapter.anchor = None
    second = torch.eye(3)[1].expand(1, tokens.shape[1], 3)
    forced = model.adapter.project(tokens, mask, prompt, routing=second)
    assert torch.equal(forced.routing, second)
    torch.testing.assert_close(forced.tokens, model.adapter.projector.experts[1](tokens))
    free = model.adapter.project(tokens, mask, prompt)
    assert not torch.allclose(forced.tokens, free.tokens)


@torch.inference_mode()
def test_an_anchored_token_is_a_mixture_of_words_and_its_free_vector(model: USAM) -> None:
    anchor = model.adapter.anchor
    assert anchor is not None
    words = model.embeddings.weight[anchor.token_ids]
    tokens = torch.randn(1, 5, 32)
    anchored, logits = anchor(tokens)
    assert logits.shape == (1, 5, len(words) + 1)
    mixture = logits.softmax(-1)[..., :-1] @ words
    blank = logits.softmax(-1)[..., -1:] * anchor.blank_word
    torch.testing.assert_close(anchored, mixture + blank + 0.5 * tokens)


@torch.inference_mode()
def test_a_token_that_points_at_a_word_is_that_word(model: USAM) -> None:
    anchor = model.adapter.anchor
    assert anchor is not None
    anchor.free.zero_()
    anchored, logits = anchor(1000 * anchor.directions[None, 7:8])
    assert logits[0, 0, :-1].argmax() == 7
    torch.testing.assert_close(anchored[0, 0], model.embeddings.weight[anchor.token_ids[7]])
