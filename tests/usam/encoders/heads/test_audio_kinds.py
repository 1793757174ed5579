"""Which kind of audio the classes speak for, and for how long."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from usam.encoders.heads.audio_kinds import kind_log_odds
from usam.encoders.heads.kind_states import STATES, SWITCH, likeliest_kinds
from usam.encoders.words import SoundScores

SPEECH, SOUND, MUSIC = 0, 1, 2


CLASSES = ("Speech", "Dog", "Animal", "Music", "Piano", "Musical instrument", "Scary music", "Silence")


@pytest.mark.parametrize(
    ("heard", "kind"), [(("Speech",), SPEECH), (("Dog", "Animal"), SOUND), (("Piano", "Music"), MUSIC)]
)
def test_classes_speak_for_their_kind(heard: tuple[str, ...], kind: int) -> None:
    scores = torch.tensor([[0.9 if name in heard else 1e-4 for name in CLASSES]] * 2)
    odds = kind_log_odds(SoundScores(scores, CLASSES, 3.0))
    assert odds.shape == (2, 3)
    assert int(odds[0].argmax()) == kind
    assert odds[0, kind] > 0


def test_a_change_lasts_or_is_none() -> None:
    odds = torch.full((20, 3), -3.0)
    odds[:, SOUND] = 3.0
    odds[10:, SOUND], odds[10:, MUSIC] = -3.0, 3.0
    changing = likeliest_kinds(odds)
    assert changing == [(SOUND,)] * 10 + [(MUSIC,)] * 10
    odds[5] = torch.tensor([-3.0, 0.5, 1.0])
    assert likeliest_kinds(odds) == changing
    odds[:, SPEECH] = 3.0
    assert likeliest_kinds(odds) == [(SPEECH, SOUND)] * 10 + [(SPEECH, MUSIC)] * 10
    assert likeliest_kinds(torch.full((3, 3), -8.0)) == [()] * 3


@given(st.integers(1, 5), st.integers(0, 10_000))
def test_no_path_is_likelier(looks: int, seed: int) -> None:
    odds = 3 * torch.randn(looks, 3, generator=torch.Generator().manual_seed(seed))

    def worth(path: list[tuple[int, ...]]) -> float:
        logs = torch.nn.functional.logsigmoid
        total = -SWITCH * sum(a != b for a, b in pairwise(path))
        for look, state in enumerate(path):
            total += sum(float(logs(odds[look, k] * (1 if k in state else -1))) for k in range(3))
            total -= len(state) > 1
        return total

    best = likeliest_kinds(odds)
    for look in range(looks):
        for other in STATES:
            assert worth([*best[:look], other, *best[look + 1 :]]) <= worth(best) + 1e-4
            assert worth([*best[:look], *[other] * (looks - look)]) <= worth(best) + 1e-4
