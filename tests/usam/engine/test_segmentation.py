"""Segments from what the specialists' heads say."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from usam.encoders.heads.kind_states import likeliest_kinds
from usam.encoders.words import Heard, SoundScores
from usam.engine.segmentation import segments
from usam.engine.word_times import at_pauses, word_times
from usam.schema.words import Word

CLASSES = ("Speech", "Bark", "Siren", "Music", "Piano", "Scary music", "Silence")
RATE = 2.0  # looks a second
ROLES = ("speech", "audio", "music")


def heard(*stretches: tuple[float, str]) -> Heard:
    """A clip in which one class after another is sure; several where they are joined by a plus."""
    rows = [
        [0.8 if name in names.split("+") else 0.0 for name in CLASSES]
        for seconds, names in stretches
        for _ in range(round(seconds * RATE))
    ]
    scores = SoundScores(torch.tensor(rows), CLASSES, RATE)
    noise = torch.randn(int(len(rows) / RATE * 16_000), generator=torch.Generator().manual_seed(0))
    for look, row in enumerate(rows):
        if row[CLASSES.index("Silence")]:
            noise[int(look / RATE * 16_000) : int((look + 1) / RATE * 16_000)] = 0
    return Heard(noise, {}, sounds=scores)


def spoken(*times: float) -> list[Word]:
    mark = Word(times[0], times[0], "Dutch", 0.9, " [", "]")
    return [mark, *(Word(at, at + 0.8, f"word{at:g}", 0.9, " ") for at in times)]


def test_one_kind_after_another_with_its_names_and_words() -> None:
    clip = heard((4, "Speech"), (4, "Music+Piano"), (4, "Siren"), (4, "Silence"))
    names = [Word(4, 8, "piano", 0.8, " (", ")"), Word(8, 12, "siren", 0.8, " (", ")")]
    place = [Word(0, 16, "a small room", 0.5, " (in ", ")")]
    tags = [Word(4, 8, "slow", 0.6, " {", "}")]
    found = segments(clip, (spoken(0.2, 1.2, 2.2, 3.0), names + place, tags), ROLES, 16.0)
    assert [one.kind for one in found] == ["speech", "music", "sound", "silence"]
    assert [one.end for one in found] == pytest.approx([4.0, 8.0, 12.0, 16.0], abs=0.5)
    assert [one.names for one in found] == [(), ("piano", "slow"), ("siren",), ()]
    assert [one.language for one in found] == ["Dutch", None, None, None]
    assert found[0].text == "word0.2 word1.2 word2.2 word3"


def test_speech_over_music_is_mixed() -> None:
    clip = heard((6, "Speech+Music"))
    found = segments(clip, (spoken(0.2, 1.5, 2.8, 4.0, 5.0), [], []), ROLES, 6.0)
    assert [one.kind for one in found] == ["mixed"]
    assert len(found[0].words) == 5


def test_speech_without_a_word_that_was_made_out_is_speech() -> None:
    clip = heard((8, "Speech"))
    clip = replace(clip, speech=((0.0, 8.0),))
    found = segments(clip, (spoken(0.2, 1.2), [], []), ROLES, 8.0)
    assert [one.kind for one in found] == ["speech"]


def test_a_faint_sound_with_a_name_is_not_silence() -> None:
    clip = heard((6, "Silence"))
    found = segments(clip, ([], [Word(2, 4, "dog barking", 0.08, " (", ")")], []), ROLES, 6.0)
    assert [(one.kind, one.start, one.end) for one in found] == [
        ("silence", 0, 2),
        ("sound", 2, 4),
        ("silence", 4, 6),
    ]
    assert found[1].names == ("dog barking",)


def test_segments_cover_what_counts_and_hold_its_words() -> None:
    clip = heard((4, "Speech"), (4, "Siren"))
    late = Word(6.0, 6.4, "late", 0.9, " ")
    found = segments(clip, ([*spoken(0.2, 1.2, 2.2, 3.0), late], [], []), ROLES, 6.0)
    assert (found[0].start, found[-1].end) == (0.0, 6.0)
    assert found[0].text == "word0.2 word1.2 word2.2 word3"
    assert [word.end for word in found[-1].words] == [6.0]


def test_what_was_heard_before_goes_on_until_something_else_is_surer() -> None:
    odds = torch.tensor([[-1.5, 1.5, -3.0], [4.0, -4.0, -4.0], [4.0, -4.0, -4.0]])
    assert likeliest_kinds(odds) == [(0,), (0,), (0,)]
    assert likeliest_kinds(odds, [(1,)]) == [(1,), (0,), (0,)]
    assert likeliest_kinds(odds, [(2,)]) == [(0,), (0,), (0,)]
    clip = heard((6, "Siren"))
    assert [one.kind for one in segments(clip, ([], [], []), ROLES, 6.0, "speech")] == ["sound"]


def wave(*loud: tuple[float, float]) -> Tensor:
    samples = torch.zeros(64_000)
    for start, end in loud:
        samples[int(start * 16_000) : int(end * 16_000)] = 0.5
    return samples


def test_words_begin_and_end_at_the_pauses_about_them() -> None:
    words = [Word(0.6, 1.9, "some", 0.9, " "), Word(1.9, 3.4, "yards", 0.9, " ")]
    some, yards = at_pauses(words, wave((0.4, 0.9), (1.6, 2.1)))
    assert (some.start, some.end) == pytest.approx((0.4, 0.9), abs=0.03)
    assert (yards.start, yards.end) == pytest.approx((1.6, 2.1), abs=0.03)


def test_without_pauses_words_keep_their_times() -> None:
    words = [Word(0.6, 1.2, "some", 0.9, " "), Word(1.2, 1.9, "yards", 0.9, " ")]
    assert at_pauses(words, wave((0.0, 4.0))) == words


def test_a_sound_behind_a_word_does_not_prolong_it() -> None:
    (word,) = at_pauses([Word(1.0, 3.0, "yards", 0.9, " ")], wave((0.0, 4.0)))
    assert word.end == pytest.approx(1.8)


def test_silence_changes_nothing_but_the_end() -> None:
    mark = Word(1.0, 1.0, "English", 0.9, " [", "]")
    assert at_pauses([mark], wave()) == [mark]
    (word,) = at_pauses([Word(1.0, 3.0, "yards", 0.9, " ")], wave())
    assert word.start <= word.end <= 3.0


def test_speech_begins_no_earlier_than_it_is_heard() -> None:
    clip = heard((3, "Siren"), (5, "Speech"))
    mark = Word(1.4, 1.4, "English", 0.9, " [", "]")
    words = [Word(1.4, 3.7, "Get", 0.9, " "), Word(3.7, 4.0, "me", 0.9, " "), Word(4.0, 4.4, "one", 0.9, " ")]
    found = word_times([mark, *words], clip)
    assert [word.start for word in found] == pytest.approx([3.0, 3.0, 3.7, 4.0])
    assert all(word.start < word.end for word in found[1:])
    assert word_times(words[1:], clip) == words[1:]
    assert [one.kind for one in segments(clip, (found, [], []), ROLES, 8.0)] == ["sound", "speech"]


def test_a_word_where_no_speech_is_heard_stays_where_it_is() -> None:
    clip = heard((4, "Siren"))
    words = [Word(0.5, 2.0, "Get", 0.9, " "), Word(2.0, 2.4, "me", 0.9, " ")]
    assert [word.start for word in word_times(words, clip)] == [0.5, 2.0]
