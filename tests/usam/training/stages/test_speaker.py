"""Fitting the head that tells who speaks."""

import torch

from tests import tiny
from usam.adapter.speaker import SPEAKERS, SpeakerHead, voice_features
from usam.training.stages.speaker import fit_speaker_head

PITCHES = {"man": 110.0, "woman": 210.0}


def features(speaker: str, count: int) -> torch.Tensor:
    """Voices of a pitch like that speaker's, and frames that tell nothing."""
    pitches = PITCHES[speaker] * (1 + 0.1 * torch.randn(count, 1)).expand(-1, 3)
    return torch.stack([voice_features(pitch, torch.randn(20, tiny.DIMS[0])) for pitch in pitches])


def test_two_groups_of_voices_are_told_apart_though_one_is_rare() -> None:
    torch.manual_seed(0)
    head = SpeakerHead(tiny.config(words=True))
    given = torch.cat([features("man", 90), features("woman", 10)])
    labels = torch.tensor([SPEAKERS.index("man")] * 90 + [SPEAKERS.index("woman")] * 10)
    assert fit_speaker_head(head, given, labels) > 0.95
    for speaker in ("man", "woman"):
        found = head(features(speaker, 50)).argmax(-1)
        assert (found == SPEAKERS.index(speaker)).float().mean() > 0.9
        name, sure = head.name(torch.full((3,), PITCHES[speaker]), torch.zeros(5, tiny.DIMS[0]))
        assert name == speaker
        assert 0.5 < sure <= 1


def test_groups_that_nothing_tells_apart_are_not() -> None:
    torch.manual_seed(0)
    head = SpeakerHead(tiny.config(words=True))
    labels = torch.arange(200) % 2
    assert fit_speaker_head(head, features("man", 200), labels) < 0.75
    _, sure = head.name(torch.full((3,), 110.0), torch.zeros(5, tiny.DIMS[0]))
    assert sure < 0.7


def test_a_voice_without_pitch_has_features_too() -> None:
    assert voice_features(torch.zeros(3), torch.randn(4, 6)).isfinite().all()
