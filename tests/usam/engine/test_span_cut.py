"""Where a span of a recording ends: words with their times over a waveform with its pauses."""

import pytest
import torch

from usam.encoders.words import Heard
from usam.engine.span_cut import Cut, span_cut
from usam.schema.words import Word

RATE = 16_000


def heard(*pauses: float, seconds: float = 30.0, speech: tuple[tuple[float, float], ...] = ()) -> Heard:
    """Noise with pauses of 0.2 s about some times (s)."""
    samples = 0.3 * torch.randn(int(seconds * RATE), generator=torch.Generator().manual_seed(0))
    for at in pauses:
        samples[int((at - 0.1) * RATE) : int((at + 0.1) * RATE)] = 0.0
    return Heard(samples, {}, speech)


def words(*texts: tuple[str, float, float]) -> list[Word]:
    return [Word(start, end, text, 0.9, " ") for text, start, end in texts]


def test_it_ends_in_the_pause_after_the_last_sentence_that_is_followed() -> None:
    given = words(
        ("One.", 19.0, 20.2), ("Two.", 20.3, 23.6), ("And", 24.0, 24.4), ("three.", 24.4, 29.0)
    )  # "Two." seems to last longer than it does
    cut = span_cut(given, heard(20.2, 23.2, 29.3), whole=False)
    assert cut == Cut(pytest.approx(23.2, abs=0.11), 2)


def test_a_title_ends_no_sentence() -> None:
    given = words(("Yes.", 18.5, 20.0), ("Mr.", 20.2, 20.6), ("Newman", 20.7, 21.2), ("came", 21.2, 29.9))
    assert span_cut(given, heard(20.1, 20.65), whole=False).words == 1


def test_a_sentence_that_nothing_follows_counts_if_it_ended_early() -> None:
    given = words(("He", 18.4, 19.0), ("came.", 19.0, 25.4))
    assert span_cut(given, heard(25.0), whole=False) == Cut(pytest.approx(25.0, abs=0.11), 2)
    late = words(("He", 18.4, 19.0), ("came.", 19.0, 29.2))
    cut = span_cut(late, heard(20.0, 27.0), whole=False)
    assert (cut.at, cut.words) == (pytest.approx(20.0, abs=0.11), 1)


def test_without_sentences_words_before_the_quietest_time_count() -> None:
    given = words(("and", 10.0, 12.0), ("then", 20.0, 20.8), ("again", 21.2, 22.0))
    assert span_cut(given, heard(21.0), whole=False) == Cut(pytest.approx(21.0, abs=0.11), 2)
    assert span_cut([], heard(21.0), whole=False).words == 0


def test_where_people_speak_on_whose_words_are_missing_it_ends_after_the_last_word() -> None:
    given = words(("Hello", 1.0, 2.0), ("there", 9.0, 10.4))
    silent = heard(10.0, seconds=20.0)
    assert span_cut(given, silent, whole=True) == Cut(20.0, 2)
    spoken = heard(10.0, seconds=20.0, speech=((0.0, 10.5), (10.5, 20.0)))
    assert span_cut(given, spoken, whole=True) == Cut(pytest.approx(10.0, abs=0.11), 2)
