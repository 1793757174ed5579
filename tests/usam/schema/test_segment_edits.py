"""Segments as a person changes them: still covering the recording, each word in one of them."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usam.errors import RequestError
from usam.schema.recording_record import segments_from_record, segments_to_record
from usam.schema.segment_edits import KINDS, SegmentEdit, edit_from_json, edit_to_json, edited
from usam.schema.segments import Segment
from usam.schema.words import Word

WORDS = Word(0.5, 1.0, "good", 0.9, " "), Word(3.0, 3.8, "day", 0.8, " ")
HEARD = (
    Segment(0.0, 4.0, "speech", WORDS, language="English"),
    Segment(4.0, 6.0, "silence"),
    Segment(6.0, 9.0, "music", names=("piano",)),
)


def changed(*changes: dict[str, Any]) -> list[tuple[float, float, str, str]]:
    found = edited(HEARD, [edit_from_json(change) for change in changes])
    return [(one.start, one.end, one.kind, one.text) for one in found]


def test_a_border_moves_and_words_with_it() -> None:
    assert changed({"kind": "move", "border": 4.0004, "to": 2.5}) == [
        (0.0, 2.5, "speech", "good"),
        (2.5, 6.0, "silence", "day"),
        (6.0, 9.0, "music", ""),
    ]


def test_a_segment_is_split_and_merged_again() -> None:
    split = {"kind": "split", "at": 2.0}
    assert changed(split)[:2] == [(0.0, 2.0, "speech", "good"), (2.0, 4.0, "speech", "day")]
    assert changed(split, {"kind": "merge", "border": 2.0}) == changed()
    assert changed({"kind": "merge", "border": 6.0})[1] == (4.0, 9.0, "music", "")


def test_a_segment_is_relabelled_and_that_undone() -> None:
    label = {"kind": "relabel", "start": 4.0, "label": "sound", "names": ["a  dog", "a dog"], "language": ""}
    segment = edited(HEARD, [edit_from_json(label)])[1]
    assert (segment.kind, segment.names, segment.language) == ("sound", ("a dog",), None)
    assert edited(HEARD, [edit_from_json(label), edit_from_json({"kind": "undo"})]) == list(HEARD)


@pytest.mark.parametrize(
    "change",
    [
        None,
        [],
        {},
        {"kind": "erase"},
        {"kind": "undo"},
        {"kind": "move", "border": 4.0, "to": 6.0},
        {"kind": "move", "border": 4.0, "to": float("nan")},
        {"kind": "move", "border": 0.0, "to": 1.0},
        {"kind": "move", "border": 5.0, "to": 5.5},
        {"kind": "split", "at": 4.0},
        {"kind": "split", "at": 9.5},
        {"kind": "split", "at": True},
        {"kind": "merge", "border": 9.0},
        {"kind": "relabel", "start": 4.0, "label": "noise"},
        {"kind": "relabel", "start": 4.0, "label": ["speech"]},
        {"kind": "relabel", "start": 4.0, "label": "sound", "names": "dog"},
        {"kind": "relabel", "start": 4.0, "label": "sound", "names": ["x" * 61]},
        {"kind": "relabel", "start": 4.0, "label": "sound", "names": [str(i) for i in range(9)]},
        {"kind": "relabel", "start": 4.0, "label": "speech", "language": 1},
    ],
)
def test_what_does_not_fit_is_refused(change: object) -> None:
    with pytest.raises(RequestError):
        edited(HEARD, [edit_from_json(change)])


TIMES = st.sampled_from([0.0, 2.0, 4.0, 4.5, 5.0, 6.0, 7.5, 8.0, 9.0])
CHANGES = st.one_of(
    st.fixed_dictionaries({"kind": st.just("move"), "border": TIMES, "to": TIMES}),
    st.fixed_dictionaries({"kind": st.just("split"), "at": TIMES}),
    st.fixed_dictionaries({"kind": st.just("merge"), "border": TIMES}),
    st.fixed_dictionaries(
        {"kind": st.just("relabel"), "start": TIMES, "label": st.sampled_from(KINDS), "names": st.just(["x"])}
    ),
    st.just({"kind": "undo"}),
)


@given(st.lists(CHANGES, max_size=30))
def test_whatever_is_done_the_recording_stays_covered_and_no_word_is_lost(changes: list[Any]) -> None:
    kept: list[SegmentEdit] = []
    for change in changes:
        edit = edit_from_json(change)
        try:
            edited(HEARD, [*kept, edit])
        except RequestError:
            continue
        kept.append(edit_from_json(json.loads(json.dumps(edit_to_json(edit)))))
    found = edited(HEARD, kept)
    assert (found[0].start, found[-1].end) == (0.0, 9.0)
    assert all(one.end == two.start and one.start < one.end for one, two in pairwise(found))
    assert " ".join(text for one in found if (text := one.text)) == "good day"


def test_what_was_heard_is_read_as_it_was_written() -> None:
    assert segments_from_record(json.loads(json.dumps(segments_to_record(HEARD)))) == HEARD
