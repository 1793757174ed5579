"""Segments and their tables for other tools."""

import csv
import io
import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from usam.schema.segment_tables import to_csv, to_rttm, to_textgrid
from usam.schema.segments import Segment, joined
from usam.schema.words import Word

HELLO = Word(0.5, 0.9, 'a "word"', 0.8, " ")
SEGMENTS = [
    Segment(0.0, 1.5, "speech", (HELLO,), language="English"),
    Segment(1.5, 3.0, "silence"),
    Segment(3.0, 4.0, "music", names=("piano", "slow")),
]


def test_segments_of_one_kind_become_one() -> None:
    found = joined(
        [*SEGMENTS, Segment(4.0, 5.0, "music", names=("slow", "harp")), Segment(5.0, 6.0, "sound")]
    )
    assert [(one.start, one.end, one.kind) for one in found[2:]] == [
        (3.0, 5.0, "music"),
        (5.0, 6.0, "sound"),
    ]
    assert found[2].names == ("piano", "slow", "harp")


def test_as_json_and_csv() -> None:
    record = SEGMENTS[0].to_json()
    assert record["text"] == 'a "word"'
    assert record["words"] == [{"start": 0.5, "end": 0.9, "text": 'a "word"', "confidence": 0.8}]
    rows = list(csv.DictReader(io.StringIO(to_csv(SEGMENTS))))
    assert [row["kind"] for row in rows] == ["speech", "silence", "music"]
    assert rows[0]["text"] == 'a "word"'
    assert rows[2]["names"] == "piano; slow"


def test_rttm_has_ten_fields_a_line_and_no_silence() -> None:
    lines = to_rttm(SEGMENTS, "my file").splitlines()
    assert [line.split()[7] for line in lines] == ["speech", "music"]
    assert lines[1].split()[:5] == ["SPEAKER", "my_file", "1", "3.000", "1.000"]
    assert all(len(line.split()) == 10 for line in lines)


TIMES = st.lists(st.floats(0, 20), min_size=2, max_size=20).map(sorted)


@given(TIMES)
def test_every_tier_of_a_textgrid_covers_the_recording(times: list[float]) -> None:
    segments = [Segment(a, b, "sound") for a, b in pairwise(times)]
    written = to_textgrid(segments, 20.0)
    for tier in written.split("item [")[2:]:
        bounds = [
            (float(a), float(b))
            for a, b in re.findall(r"intervals \[\d+\]:\s+xmin = ([\d.]+)\s+xmax = ([\d.]+)", tier)
        ]
        assert bounds[0][0] == 0.0
        assert bounds[-1][1] == 20.0
        assert all(a < b for a, b in bounds)
        assert all(first[1] == second[0] for first, second in pairwise(bounds))


def test_quotes_in_a_textgrid_are_doubled() -> None:
    assert 'text = "a ""word"""' in to_textgrid(SEGMENTS, 4.0)
