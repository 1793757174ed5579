"""Names of sounds and tags of music from hand-made score tables."""

from dataclasses import replace
from itertools import chain
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from usam.encoders.heads.music_tags import TAGS, MusicTags
from usam.encoders.heads.sound_classes import PLACES, VAGUE, VOICES, plain_name
from usam.encoders.heads.sound_names import (
    NAMES,
    SoundNames,
    bracketed,
    is_silent,
    music_spans,
    names_between,
    names_heard,
    speech_score,
    speech_spans,
)
from usam.encoders.words import Heard, KindScores, SoundScores
from usam.schema.words import Word

CLASSES = (*VOICES, "Singing", "Choir", "Chant", "Bark", "Bow-wow", "Growling", "Moo", "Siren", "Rain",
           "Silence", "Music", "Piano", "Guitar", "Scary music", *PLACES)  # fmt: skip
RATE = 2.0  # looks a second: 8 000 samples each


def table(*stretches: tuple[int, dict[str, float]]) -> SoundScores:
    """Scores of stretches of so many looks."""
    rows = []
    for looks, scores in stretches:
        row = torch.zeros(len(CLASSES))
        for name, score in scores.items():
            row[CLASSES.index(name)] = score
        rows += [row] * looks
    return SoundScores(torch.stack(rows), CLASSES, RATE)


def heard(
    sounds: SoundScores, speech: tuple[tuple[float, float], ...] = (), loud: Tensor | None = None
) -> Heard:
    """A clip as long as the scores, `loud` [looks] of noise, else all as loud."""
    looks = len(sounds.scores)
    size = int(16_000 / RATE)
    noise = torch.randn(looks * size, generator=torch.Generator().manual_seed(0))
    return Heard(
        noise * (torch.ones(looks) if loud is None else loud).repeat_interleave(size),
        {},
        speech,
        sounds=sounds,
    )


def read(words: list[Word]) -> str:
    return "".join(word.read for word in words)


def names(sounds: SoundScores, **given: object) -> list[Word]:
    return SoundNames().words(heard(sounds, **given))  # type: ignore[arg-type]


def test_a_stretch_with_one_top_name_is_one_segment_with_the_surest_first() -> None:
    words = names(table((6, {"Bark": 0.8, "Growling": 0.5}), (6, {"Siren": 0.6})))
    assert read(words) == " (dog barking, dog growling) (siren)"
    assert [(word.start, word.end) for word in words] == [(0, 3), (0, 3), (3, 6)]
    assert [word.confidence for word in words] == pytest.approx([0.8, 0.5, 0.6])


def test_two_classes_of_one_name_are_said_once_and_at_most_three_names() -> None:
    words = names(table((3, {"Bark": 0.8, "Bow-wow": 0.7, "Growling": 0.6, "Moo": 0.5, "Siren": 0.4})))
    assert [word.text for word in words] == ["dog barking", "dog growling", "cow mooing"]
    assert len(words) == NAMES


def test_what_names_nothing_new_belongs_to_what_was_before() -> None:
    words = names(table((3, {"Bark": 0.8}), (3, {"Rain": 0.15}), (3, {"Siren": 0.9})))
    assert [(word.text, word.start, word.end) for word in words] == [("dog barking", 0, 3), ("siren", 3, 4.5)]


def test_a_short_rest_is_looked_at_together_with_what_is_before() -> None:
    words = names(table((4, {"Bark": 0.8})))
    assert [(word.start, word.end) for word in words] == [(0, 2)]


def test_faint_looks_and_vague_classes_name_nothing() -> None:
    sounds = table((3, {"Bark": 0.8}), (3, {"Siren": 0.8}))
    loud = torch.tensor([1.0] * 3 + [0.01] * 3)
    assert read(names(sounds, loud=loud)) == " (dog barking)"
    assert read(names(sounds, loud=loud.flip(0))) == " (siren)"
    assert names(table((3, {"Speech": 0.9, "Silence": 0.9, "Music": 0.9}))) == []


def test_names_of_all_that_is_heard_between_two_times_are_of_one_kind() -> None:
    sounds = table((4, {"Siren": 0.9}), (1, {"Bark": 0.4, "Piano": 0.5}), (3, {"Moo": 0.01}))
    given = heard(sounds)
    assert names_between(given, sounds, 2.0, 4.0, "sound") == ["dog barking"]
    assert names_between(given, sounds, 2.0, 4.0, "music") == ["piano"]
    assert names_between(given, sounds, 0.0, 4.0, "sound")[0] == "siren"
    assert (
        names_between(heard(sounds, loud=torch.tensor([1.0] * 4 + [0.001] * 4)), sounds, 2.0, 4.0, "sound")
        == []
    )


def test_hiss_and_hum_name_nothing_whatever_the_scores() -> None:
    sounds = table((6, {"Bark": 0.8, "Outside, rural or natural": 0.9, "Guitar": 0.9}))
    assert names(sounds, loud=torch.full((6,), 0.004)) == []
    assert is_silent(torch.full((1600,), 0.004))
    assert not is_silent(torch.full((1600,), 0.02))


def test_beside_speech_a_name_has_to_be_surer() -> None:
    sounds = table((3, {"Rain": 0.1}))
    assert read(names(sounds)) == " (rain)"
    assert names(sounds, speech=((0.0, 1.0),)) == []
    assert read(names(sounds, speech=((1.5, 3.0),))) == " (rain)"
    assert read(names(sounds, speech=((1.0, 3.0),))) == " (rain)"  # a third of it


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"Rain": 0.1}, " (sound)"),
        ({"Music": 0.05, "Rain": 0.1}, " (music)"),
        ({"Piano": 0.1}, " (music)"),
        ({"Rain": 0.04, "Music": 0.03}, ""),
        ({"Silence": 0.9, "Inside, small room": 0.1}, ""),
        ({"Rain": 0.2, "Music": 0.2}, " (rain)"),
    ],
)
def test_behind_speech_the_kind_is_said_of_what_cannot_be_named(
    scores: dict[str, float], expected: str
) -> None:
    clip = heard(table((4, scores)), speech=((0.0, 2.0),))
    assert read(SoundNames(background_kinds=True).words(clip)) == expected


def kinds(*rows: tuple[float, float, float]) -> KindScores:
    """Scores of speech, sound and music, two looks at the sounds a row."""
    return KindScores(torch.tensor(rows), 2 / RATE)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((-1.0, 0.8, -0.8), " (sound: cow mooing)"),
        ((-1.0, -0.8, 0.8), " (music: piano)"),
        ((-1.0, 0.4, 0.5), " (music: piano, cow mooing)"),
    ],
)
def test_names_are_of_the_kinds_that_are_heard(scores: tuple[float, float, float], expected: str) -> None:
    clip = replace(heard(table((4, {"Piano": 0.4, "Moo": 0.2}))), kinds=kinds(scores, scores))
    assert read(SoundNames().words(clip)) == expected


def test_a_very_sure_name_is_said_whatever_kind_is_heard() -> None:
    clip = replace(heard(table((4, {"Piano": 0.9}))), kinds=kinds((-1.0, 0.6, -0.6)))
    assert read(SoundNames().words(clip)) == " (sound: piano)"


def test_the_kind_stands_for_names_of_another_one() -> None:
    clip = replace(heard(table((4, {"Piano": 0.3}))), kinds=kinds((-1.0, 0.6, -0.6)))
    assert read(SoundNames().words(clip)) == " (sound)"


@pytest.mark.parametrize(
    ("scores", "sounds", "expected"),
    [
        ((1.0, -0.9, 0.1), {"Rain": 0.2}, " (speech with music)"),
        ((1.0, -0.9, -0.8), {"Rain": 0.2}, " (speech)"),
        ((1.0, 0.2, -0.8), {"Rain": 0.2}, " (speech with sound: rain)"),
        ((1.0, -0.9, -0.8), {"Rain": 0.7}, " (speech with sound: rain)"),
        ((1.0, -0.9, -0.8), {"Piano": 0.7}, " (speech with music: piano)"),
    ],
)
def test_it_is_said_whether_speech_is_alone(
    scores: tuple[float, float, float], sounds: dict[str, float], expected: str
) -> None:
    clip = replace(heard(table((4, sounds)), speech=((0.0, 2.0),)), kinds=kinds(scores, scores))
    words = SoundNames().words(clip)
    assert read(words) == expected
    assert names_heard(words) == [name for name in ("rain", "piano") if name in expected]


def test_kinds_are_said_span_after_span_and_a_passing_doubt_is_not() -> None:
    clip = replace(
        heard(table((12, {"Moo": 0.4}))),
        kinds=kinds(*[(-1.0, 0.8, -0.8)] * 2, (-1.0, 0.1, 0.2), *[(-1.0, 0.8, -0.8)] * 2, (1.0, -0.9, -0.9)),
    )
    words = SoundNames().words(clip)
    assert read(words) == " (sound: cow mooing) (speech)"
    assert (words[0].start, words[0].end, words[1].end) == pytest.approx((0.0, 5.0, 6.0))


def test_where_it_is_quiet_the_kinds_about_it_go_on() -> None:
    clip = replace(heard(table((4, {"Moo": 0.4}))), kinds=kinds((-1.0, 0.8, -0.8), (1.0, -0.9, -0.9)))
    clip.waveform[8_000:] = 1e-5
    assert read(SoundNames().words(clip)) == " (sound: cow mooing)"
    clip.waveform[:] = 1e-5
    assert SoundNames().words(clip) == []


def test_the_place_is_said_where_it_is_sure_enough() -> None:
    words = names(table((4, {"Rain": 0.5, "Outside, rural or natural": 0.3})))
    assert read(words) == " (rain) (in the outdoors)"
    assert (words[-1].start, words[-1].end) == (0, 2)
    assert read(names(table((4, {"Rain": 0.5, "Outside, rural or natural": 0.05})))) == " (rain)"


def test_without_scores_nothing_is_named() -> None:
    bare = Heard(torch.zeros(16_000), {})
    assert SoundNames().words(bare) == []
    assert MusicTags(None).words(bare) == []  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(0, 10_000), st.floats(0.2, 6))
def test_brackets_balance_and_words_lie_in_the_clip(looks: int, seed: int, sharp: float) -> None:
    scores = torch.rand(looks, len(CLASSES), generator=torch.Generator().manual_seed(seed)) ** sharp
    given_to = heard(SoundScores(scores, CLASSES, RATE))
    words = SoundNames().words(given_to)
    text = read(words)
    assert text.count("(") == text.count(")")
    assert "((" not in text.replace(" ", "")
    seconds = len(given_to.waveform) / 16_000
    assert all(0 <= word.start < word.end <= seconds for word in words)
    assert all(0 < word.confidence <= 1 for word in words)
    named = [word for word in words if word.before != " (in "]
    assert [word.start for word in named] == sorted(word.start for word in named)


def test_someone_speaks_where_a_voice_is_sure_and_sings_where_song_is_surer() -> None:
    sounds = table(
        (4, {"Speech": 0.8}), (8, {}), (4, {"Conversation": 0.6}), (8, {"Speech": 0.5, "Singing": 0.9})
    )
    assert [*chain(*speech_spans(sounds))] == pytest.approx([0.0, 2.4, 5.6, 8.4])
    assert speech_spans(table((4, {"Speech": 0.9, "Singing": 0.7}))) == ((0.0, 2.0),)
    assert speech_spans(table((4, {"Rain": 0.9, "Speech": 0.2}))) == ()
    paused = table((4, {"Speech": 0.8}), (3, {}), (4, {"Speech": 0.8}))
    assert len(speech_spans(paused)) == 1


def test_how_sure_speech_is_between_two_times() -> None:
    sounds = table((2, {"Speech": 0.8}), (2, {"Speech": 0.2}), (2, {"Shout": 0.4}))
    assert speech_score(sounds, 0, 3) == pytest.approx(0.6)
    assert speech_score(sounds, 0, 1) == pytest.approx(0.8)
    assert speech_score(sounds, 1, 2) == 0
    assert speech_score(None, 0, 1) == 1


def test_music_is_any_class_of_music() -> None:
    sounds = table((4, {"Piano": 0.8}), (8, {"Rain": 0.9}), (4, {"Music": 0.4}), (4, {"Guitar": 0.2}))
    assert [*chain(*music_spans(sounds))] == pytest.approx([0.0, 2.2, 5.8, 8.2])


TAG_NAMES = (
    "guitar",
    "male",
    "man",
    "vocals",
    "no vocals",
    "weird",
    "slow",
    "piano",
    "rock",
    "opera",
    "harp",
    "loud",
)


def tags(scores: dict[str, float], sounds: SoundScores | Heard) -> tuple[list[Word], list[int]]:
    lengths: list[int] = []

    def scored(part: Tensor) -> Tensor:
        lengths.append(len(part))
        return torch.tensor([[scores.get(name, 0.0) for name in TAG_NAMES]])

    stream = MusicTags(SimpleNamespace(tags=TAG_NAMES, scores=scored))  # type: ignore[arg-type]
    return stream.words(sounds if isinstance(sounds, Heard) else heard(sounds)), lengths


def test_tags_are_said_of_music_alone_and_each_once() -> None:
    sounds = table((4, {"Rain": 0.9}), (6, {"Piano": 0.8}))
    words, lengths = tags(
        {"piano": 0.9, "male": 0.5, "man": 0.4, "slow": 0.3, "weird": 0.8, "no vocals": 0.7, "rock": 0.1},
        sounds,
    )
    assert read(words) == " {piano, male voice, slow}"
    assert {(word.start, word.end) for word in words} == {(1.8, 5.0)}
    assert lengths == [int(5.0 * 16_000) - int(1.8 * 16_000)]
    assert tags({"piano": 0.9}, table((4, {"Rain": 0.9}))) == ([], [])
    assert tags({"piano": 0.1}, sounds)[0] == []


def test_tags_are_said_where_music_is_heard_though_the_sounds_tell_none() -> None:
    clip = replace(heard(table((4, {"Bark": 0.9}))), kinds=kinds((-1.0, -0.5, 0.5), (-1.0, 0.5, -0.5)))
    [word], _ = tags({"piano": 0.9}, clip)
    assert (word.text, word.start, word.end) == ("piano", 0.0, 1.0)


def test_at_most_so_many_tags_are_said() -> None:
    words, _ = tags({name: 0.9 - 0.01 * i for i, name in enumerate(TAG_NAMES)}, table((6, {"Music": 0.8})))
    assert len(words) == TAGS


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=4), st.floats(0, 2)), max_size=5))
def test_a_bracket_holds_its_names(named: list[tuple[str, float]]) -> None:
    words = bracketed(1.0, 2.0, named, "(", ")")
    assert read(words) == (f" ({', '.join(name for name, _ in named)})" if named else "")
    assert all(word.confidence <= 1 for word in words)


def test_plain_names_are_lower_case_english() -> None:
    assert plain_name("Moo") == "cow mooing"
    assert plain_name("Snare drum") == "snare drum"
    assert plain_name("Some thing (of a kind), thingy") == "some thing"
    assert set(VOICES) | set(PLACES) <= VAGUE
