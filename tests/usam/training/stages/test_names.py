"""Fitting the head that tells what sounds and instruments are called."""

import torch

from tests import tiny
from usam.adapter.kinds import STATISTICS
from usam.adapter.names import NameHead
from usam.encoders.words import NameScores
from usam.training.stages.names import fit_name_head

NAMES = {"sound": ["dog bark", "rain"], "music": ["piano"]}


def clips(names: torch.Tensor, noise: float) -> torch.Tensor:
    """Looks with a channel for each name, among others that tell nothing."""
    found = noise * torch.randn(len(names), STATISTICS * sum(tiny.DIMS))
    found[torch.arange(len(names)), names] += 3.0
    return found


def fitted(noise: float) -> NameHead:
    torch.manual_seed(0)
    head = NameHead(tiny.config(words=True, kind_head=True, names=NAMES))
    names = torch.randint(3, (300,))
    fit_name_head(head, clips(names, noise), names.tolist(), [f"collection {i % 3}" for i in range(300)])
    return head


def probable(head: NameHead, looks: torch.Tensor) -> torch.Tensor:
    scores = head.scores(looks)
    slope, offset = float(head.slope), float(head.offset)
    return NameScores(scores, head.names, head.kinds, 1.0, slope, offset).between(0.0, 1.0)


def test_names_are_told_of_other_clips() -> None:
    head = fitted(0.5)
    names = torch.randint(3, (100,))
    assert (head.scores(clips(names, 0.5)).argmax(1) == names).float().mean() > 0.95


def test_a_name_is_as_probable_as_it_is_right_in_collections_that_were_left_out() -> None:
    sure, doubtful = (probable(fitted(noise), clips(torch.tensor([1]), noise)) for noise in (0.3, 3.0))
    assert sure[1] > 0.9 > doubtful.max()
