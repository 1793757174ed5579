"""Subtitles: every word once, in order, in pieces that can be read."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from usam.schema.segments import Segment
from usam.schema.subtitles import MOST_CHARACTERS, MOST_SECONDS, cues, srt, txt, vtt
from usam.schema.words import Word

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@st.composite
def spoken(draw: st.DrawFn) -> list[Word]:
    at = 0.0
    found = []
    for text in draw(st.lists(TEXT, max_size=30)):
        start = at + draw(st.floats(0, 2))
        at = start + draw(st.floats(0.05, 1))
        found.append(Word(start, at, text, 0.5, " "))
    return found


def segment(words: list[Word]) -> Segment:
    return Segment(0.0, 1000.0, "speech", tuple(words))


@given(spoken())
def test_every_word_is_in_one_cue_at_its_time(words: list[Word]) -> None:
    found = cues([segment(words)])
    assert " ".join(cue.text for cue in found).split() == [word.text for word in words]
    assert all(one.end <= two.start for one, two in pairwise(found))
    for cue in found:
        assert cue.start <= cue.end
        assert len(cue.text) <= MOST_CHARACTERS or len(cue.text.split()) == 1
        assert cue.end - cue.start <= MOST_SECONDS + 1e-6


def words(*texts: str) -> list[Word]:
    return [Word(i * 0.5, i * 0.5 + 0.4, text, 0.9, " ") for i, text in enumerate(texts)]


def test_a_sentence_is_a_cue_and_an_abbreviation_ends_none() -> None:
    found = cues([segment(words("Mrs.", "Lynde", "is", "surprised.", "Why?", "Nobody", "knows."))])
    assert [cue.text for cue in found] == ["Mrs. Lynde is surprised.", "Why?", "Nobody knows."]


def test_a_pause_begins_a_cue() -> None:
    found = cues([segment([*words("one", "two"), Word(5.0, 5.5, "three", 0.9, " ")])])
    assert [(cue.text, cue.start) for cue in found] == [("one two", 0.0), ("three", 5.0)]


def test_the_files() -> None:
    found = cues([segment([Word(3661.5, 3662.25, "<Hi> & bye.", 0.9, " ")])])
    assert srt(found, 7) == "7\n01:01:01,500 --> 01:01:02,500\n<Hi> & bye.\n\n"
    assert vtt(found) == "WEBVTT\n\n01:01:01.500 --> 01:01:02.500\n&lt;Hi&gt; &amp; bye.\n\n"
    assert txt(found) == "<Hi> & bye.\n"


@given(spoken())
def test_times_in_files_are_well_formed(words: list[Word]) -> None:
    for line in srt(cues([segment(words)])).splitlines():
        if " --> " in line:
            assert re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d,\d{3} --> \d\d:[0-5]\d:[0-5]\d,\d{3}", line)
