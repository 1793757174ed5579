"""Classifiers of the kind of audio over frozen frames."""

import pytest
import torch

from usam.evaluation.baselines import encoder_classifier as kinds


@pytest.mark.parametrize("hidden", [0, 16])
def test_a_classifier_of_kinds_tells_what_differs_and_heeds_a_rare_kind(hidden: int) -> None:
    truth = torch.tensor([0] * 900 + [1] * 900 + [2] * 60)
    features = torch.nn.functional.one_hot(truth, 3).repeat(1, 16) * 4.0 + torch.randn(1860, 48) * 0.3
    told = kinds.classify(features, truth, features, hidden, seed=0)
    found = kinds.figures(told, truth)
    assert min(found[kind]["value"] for kind in ("speech", "sound", "music")) > 0.8
    assert torch.equal(told, kinds.classify(features, truth, features, hidden, seed=0))


def test_the_share_of_kinds_told_is_the_mean_of_the_kinds() -> None:
    told = torch.eye(3)[[0, 0, 0, 0, 1]]
    found = kinds.figures(told, torch.tensor([0, 0, 0, 1, 2]))
    assert found["kind told"]["value"] == pytest.approx(1 / 3)
