"""What an export tells of people's preferences, what contradicts itself, and what is left out."""

import json
from pathlib import Path

import pytest

from tests.usam.training.preferences.exports import OTHER, PERSON, clip, pair, thumb, write
from usam.errors import RequestError
from usam.schema.answer import Turn
from usam.training.preferences.rows import Mark, read_preferences


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    return clip(tmp_path, 0)


def test_each_kind_is_read_and_counted(noise: Path, tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": "A man."},
        {"role": "user", "content": "Why?"},
    ]
    marked = thumb(
        noise, "A dog.", True, evidence="tokens", marks=[{"start": 0, "end": 0.2, "mattered": False}]
    )
    del marked["label"]
    rows = [
        pair(noise, "A dog.", "A cat."),
        pair(noise, "So.", "So so.", evidence="scores", weight=0.5, prompt=turns),
        pair(noise, "A wolf.", "A dog.", evidence="correction"),
        thumb(noise, "A dog.", False),
        marked,
    ]
    found = read_preferences(write(tmp_path / "export", rows))
    assert found.counts == {"comparison": 1, "scores": 1, "correction": 1, "thumb": 1, "tokens": 1}
    assert found.annotators == [PERSON]
    assert found.pairs[1].asked.turns == (Turn("Who?", "A man."),)
    assert found.pairs[1].weight == 0.5
    assert found.marks[0].marks == (Mark(0, 0.2, False),)
    assert not found.dropped.total()
    assert "comparison" in str(found)


def test_exports_of_the_other_formats_are_read_too(noise: Path, tmp_path: Path) -> None:
    prompt, say = (
        [{"role": "user", "content": "What?"}],
        lambda text: [{"role": "assistant", "content": text}],
    )
    about = {"prompt": prompt, "audios": [str(noise)]}
    rows = [
        {**about, "chosen": say("A dog."), "rejected": say("A cat.")},
        {**about, "completion": say("A dog."), "label": True},
        {
            **about,
            "completion": say("A dog."),
            "spans": [
                {"start": 0.1, "end": 0.3, "label": label, "annotator": 1} for label in ("missed", "wrong")
            ],
        },
    ]
    found = read_preferences(write(tmp_path / "export", rows))
    assert found.counts == {"pair": 1, "thumb": 1, "spans": 1}
    assert (found.pairs[0].chosen, found.pairs[0].rejected) == ("A dog.", "A cat.")
    assert found.marks[0].marks == (Mark(0.1, 0.3, True),)


def test_the_majority_counts_the_less_the_more_contradict_it(noise: Path, tmp_path: Path) -> None:
    agreed = [pair(noise, "A.", "B.", annotator=PERSON), pair(noise, "A.", "B.", annotator=OTHER)]
    against = pair(noise, "B.", "A.", annotator="a" * 16)
    found = read_preferences(write(tmp_path / "majority", [*agreed, against]))
    assert [(row.chosen, row.weight) for row in found.pairs] == [("A.", pytest.approx(1 / 3))]
    assert found.annotators == sorted([PERSON, OTHER])
    assert found.dropped["contradicting"] == 1
    even = [agreed[0], against, thumb(noise, "A.", True), thumb(noise, "A.", False)]
    found = read_preferences(write(tmp_path / "even", even))
    assert not found.rows
    assert found.dropped["contradicting"] == 4


def test_rows_without_audio_of_a_kind_or_of_a_person_are_left_out_and_counted(
    noise: Path, tmp_path: Path
) -> None:
    silent = pair(noise, "A.", "B.")
    del silent["audios"]
    gone = pair(noise, "A.", "C.", audios=[str(tmp_path / "gone.wav")])
    rows = [silent, gone, pair(noise, "A.", "D.", annotator=OTHER), thumb(noise, "A.", True)]
    folder = write(tmp_path / "export", [*rows, pair(noise, "A.", "E.")])
    found = read_preferences(folder, {"thumb": 0.0, "comparison": 0.5}, without=[OTHER])
    assert [(row.rejected, row.weight) for row in found.pairs] == [("E.", 0.5)]
    assert +found.dropped == {"audio not kept": 2, "left out by annotator": 1, "left out by kind": 1}


def test_the_rows_hash_knows_neither_order_nor_place(tmp_path: Path) -> None:
    hashes = set()
    for name, order in (("here", 1), ("there", -1)):
        (tmp_path / name).mkdir()
        file = clip(tmp_path / name, 0)
        rows = [pair(file, "A.", "B."), pair(file, "A.", "C.")][::order]
        hashes.add(read_preferences(write(tmp_path / name / "export", rows)).fingerprint)
    assert len(hashes) == 1
    other = write(tmp_path / "other", [pair(clip(tmp_path, 0), "A.", "B.")])
    assert read_preferences(other).fingerprint not in hashes


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": []},
        {"chosen": 3},
        {"evidence": "rumour"},
        {"weight": "much"},
        {"task": "sing"},
        {"prompt": "?"},
    ],
)
def test_a_line_that_is_no_preference_is_named(noise: Path, tmp_path: Path, change: dict) -> None:
    folder = write(tmp_path / "export", [pair(noise, "A.", "B."), pair(noise, "A.", "B.") | change])
    with pytest.raises(RequestError, match="Line 2 of train"):
        read_preferences(folder)


def test_a_folder_without_an_export_and_a_line_that_is_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no export"):
        read_preferences(tmp_path)
    (tmp_path / "test.jsonl").write_text(json.dumps([1]) + "\n{")
    with pytest.raises(RequestError, match="Line 1 of test"):
        read_preferences(tmp_path)
