"""Frames moved until the classifier names them."""

import torch
from torch import nn

from usam.encoders import YAMNet
from usam.training.targets.imagined import kind_of, moved


def test_imagined_frames_are_what_the_head_calls_them() -> None:
    torch.manual_seed(0)
    yamnet = YAMNet(("Speech", "Dog", "Rain"))
    nn.init.normal_(yamnet.classifier.weight, std=0.05)
    near = torch.rand(2, 5, yamnet.dim)
    found = moved(yamnet, near, 2)
    assert (found >= 0).all()
    assert (yamnet.classifier(found).argmax(-1) == 2).all()
    assert (found - near).abs().mean() < 0.3


def test_speech_is_not_imagined_and_instruments_are_music() -> None:
    assert [kind_of(index) for index in (0, 135, 283)] == [None, "music", "sound"]
