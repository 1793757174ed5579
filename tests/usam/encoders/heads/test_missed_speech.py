"""Speech that all encoders together hear, and the sound specialist alone misses."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st

from usam.encoders.heads.missed_speech import missed_speech, with_missed, without_empty_marks
from usam.encoders.words import Heard, KindScores
from usam.schema.words import Word

SPEECH, MUSIC = (1.0, -1.0, -1.0), (-1.0, -1.0, 1.0)
SECONDS = 8
NOISE = torch.randn(SECONDS * 16_000, generator=torch.Generator().manual_seed(0))
MARK = Word(0.5, 0.5, "English", 0.9, " [", "]")


def heard(kinds: Sequence[tuple[float, float, float]], *speech: tuple[float, float]) -> Heard:
    """Eight seconds with scores of kinds, one row a second."""
    return Heard(NOISE, {}, speech, kinds=KindScores(torch.tensor(kinds), 1.0))


def test_what_was_heard_as_speech_is_not_missed() -> None:
    assert missed_speech(heard([SPEECH] * SECONDS, (0.0, 7.5))) == ()
    assert missed_speech(heard([MUSIC] * SECONDS)) == ()
    assert missed_speech(Heard(NOISE, {}, ((0.0, 1.0),))) == ()  # no head tells kinds


def test_speech_that_was_missed_takes_in_what_of_it_was_heard() -> None:
    half = heard([SPEECH] * 4 + [MUSIC] * 4, (1.0, 2.0), (3.0, 4.4))
    [(start, end)] = missed_speech(half)
    assert (start, end) == (0.0, 4.4)
    assert with_missed(half, ((start, end),)).speech == ((0.0, 4.4),)


def test_speech_elsewhere_stays() -> None:
    clip = heard([MUSIC] * 4 + [SPEECH] * 4, (0.0, 1.0))
    [missed] = missed_speech(clip)
    assert with_missed(clip, (missed,)).speech == ((0.0, 1.0), missed)
    assert missed[0] >= 1.0


@given(
    st.lists(st.sampled_from((SPEECH, MUSIC)), min_size=SECONDS, max_size=SECONDS),
    st.lists(st.tuples(st.floats(0, SECONDS - 1), st.floats(0.1, 3)), max_size=3),
)
def test_stretches_of_speech_never_overlap_and_nothing_stays_missed(
    kinds: list[tuple[float, float, float]], drawn: list[tuple[float, float]]
) -> None:
    speech: list[tuple[float, float]] = []
    for start, length in sorted(drawn):
        if not speech or start > speech[-1][1]:
            speech.append((start, min(SECONDS, start + length)))
    clip = heard(kinds, *speech)
    whole = with_missed(clip, missed_speech(clip))
    assert all(one[1] <= two[0] for one, two in zip(whole.speech, whole.speech[1:], strict=False))
    assert missed_speech(whole) == ()


def test_a_language_without_words_is_no_sign_of_speech_in_music() -> None:
    word = Word(1.0, 1.5, "Go", 0.9, " ")
    music = heard([MUSIC] * SECONDS)
    assert without_empty_marks([MARK], music) == []
    assert without_empty_marks([MARK, word], music) == [MARK, word]
    assert without_empty_marks([MARK], heard([SPEECH] * SECONDS)) == [MARK]
    assert without_empty_marks([MARK], replace(music, kinds=None)) == [MARK]
