"""Mixtures of held-out clips."""

import torch

from usam.evaluation.clips import TestSet, mixed


def test_a_mixture_holds_both_clips_and_the_louder_is_the_speech(clips: TestSet) -> None:
    again = list(mixed(clips.single, 2))
    assert [sorted(c.kinds) for c in again] == [["music", "speech"]] * 2 + [["sound", "speech"]] * 2
    for one, same in zip(clips.mixed, again, strict=True):
        assert torch.equal(one.waveform, same.waveform)
        assert one.waveform.abs().max() <= 1
        [voice] = [c.waveform for c in clips.single if c.name == one.name.split(" + ")[0]]
        assert len(one.waveform) == len(voice)
        assert correlation(one.waveform, voice) > 0.65  # at least as strong as the rest
        rest = one.waveform - voice * (one.waveform @ voice) / (voice @ voice)
        assert rest.norm() > 0.2 * one.waveform.norm()


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one, other, dim=0))
