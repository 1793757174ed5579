"""Fitting the head that tells which kinds of audio are heard."""

import torch

from tests import tiny
from usam.adapter.kinds import LOOK, LOOK_SECONDS, STATISTICS, SURE, KindHead, looks_of
from usam.encoders.words import KindScores
from usam.schema.segments import KINDS
from usam.training.stages.kinds import fit_kind_head


def looks(kinds: torch.Tensor) -> torch.Tensor:
    """Looks of kinds [N, 3]: a channel for each of them, among others that tell nothing."""
    found = torch.randn(len(kinds), STATISTICS * sum(tiny.DIMS))
    found[:, :3] += 6 * kinds
    return found


def test_kinds_are_told_alone_and_together() -> None:
    torch.manual_seed(0)
    head = KindHead(tiny.config(words=True))
    kinds = (torch.rand(600, 3) < 0.4).float()
    fit_kind_head(head, looks(kinds), kinds, torch.ones(600))
    head.requires_grad_(False)
    unseen = (torch.rand(200, 3) < 0.4).float()
    assert ((head(looks(unseen)) > 0) == unseen.bool()).float().mean() > 0.95


def test_a_clip_of_many_looks_is_as_heavy_as_one_of_few() -> None:
    torch.manual_seed(0)
    head = KindHead(tiny.config(words=True))
    same = torch.ones(100, STATISTICS * sum(tiny.DIMS))
    kinds = torch.zeros(100, 3)
    kinds[:90, 0] = 1.0  # one clip of 90 looks says speech; ten of one each, which sound alike, say none
    fit_kind_head(head, same, kinds, torch.cat([torch.full((90,), 1 / 90), torch.ones(10)]))
    assert (head(same[:1])[0] < 0).all()


def test_looks_cover_all_frames_and_a_short_clip_has_one() -> None:
    frames = torch.arange(2.0 * LOOK + 3)[:, None]
    found = looks_of(frames)
    assert found[:, 0].tolist() == [(LOOK - 1) / 2, LOOK + (LOOK + 2) / 2]
    assert found[:, 2].tolist() == [LOOK - 1, 2 * LOOK + 2]
    assert len(looks_of(frames[:1])) == 1
    assert looks_of(frames[:1])[0, 1] == 0.0  # one frame deviates from nothing


def test_scores_are_means_over_time() -> None:
    head = KindHead(tiny.config(words=True))
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
        head.hidden.weight[0, 0] = 1.0
        head.head.weight[KINDS.index("music"), 0] = SURE
    frames = torch.zeros(3 * LOOK, sum(tiny.DIMS))
    frames[LOOK:, 0] = 1.0
    scores = KindScores(head.scores(looks_of(frames)), LOOK_SECONDS)
    assert scores.mean("music", 0.0, scores.seconds) == 0.0
    assert scores.mean("music", scores.seconds, 9.0) == 1.0
    assert scores.mean("music", 99.0, 100.0) == 1.0  # after the end: the last there is
