"""Exports: what a trainer or a spreadsheet reads is what people said, and nothing that would harm it."""

import csv
import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

import storage
from storage import Database, Feedback, StorageError
from storage.__main__ import main
from storage.analysis.agreement import agreement
from storage.analysis.dimensions import MOST_NAMES
from storage.answers.records import answer_columns
from storage.database.schema import Annotator, Answer, Clip, Rating, Span
from storage.export import FORMATS, export, pack
from storage.export.reader import split_of
from storage.export.tables.csv import escape
from storage.export.tables.rows import TABLES

Make = Callable[..., dict[str, Any]]
Rows = list[dict[str, Any]]

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "'=1")


def samples(folder: Path) -> Rows:
    files = (folder / f"{split}.jsonl" for split in ("train", "test"))
    return [json.loads(line) for file in files if file.exists() for line in file.read_text().splitlines()]


def cells(file: Path) -> Rows:
    with file.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def content(messages: Rows) -> str:
    (message,) = messages
    assert message["role"] == "assistant"
    return str(message["content"])


@pytest.fixture
def ask(feedback: Feedback, make_record: Make) -> Callable[..., str]:
    return lambda text, **changes: feedback.record_answer(make_record(text, **changes), annotator="me")


def test_dpo_pairs_from_corrections_votes_and_thumbs(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    feedback.rate(ask("a cat", clip="1"), "me", correction="a dog")
    feedback.compare(ask("left", clip="2"), ask("right", clip="2"), "me", "b")
    feedback.rate(ask("good", clip="3"), "me", thumb=1)
    feedback.rate(ask("bad", clip="3"), "you", thumb=-1)
    audit = export(feedback.database, "dpo", tmp_path)
    rows = samples(tmp_path)
    assert {(content(row["chosen"]), content(row["rejected"])) for row in rows} == {
        ("a dog", "a cat"),
        ("right", "left"),
        ("good", "bad"),
    }
    assert all(row["prompt"] == [{"role": "user", "content": "What do you hear?"}] for row in rows)
    assert all(set(row) == {"prompt", "chosen", "rejected"} for row in rows), "no null, no empty key"
    assert audit.rows.total() == 3
    assert not +audit.dropped


def test_dpo_prompt_holds_the_earlier_turns(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    answer = ask("two", question="How many?", history=[{"question": "What?", "answer": "Dogs."}])
    feedback.rate(answer, "me", correction="three")
    export(feedback.database, "dpo", tmp_path)
    (row,) = samples(tmp_path)
    assert [(turn["role"], turn["content"]) for turn in row["prompt"]] == [
        ("user", "What?"),
        ("assistant", "Dogs."),
        ("user", "How many?"),
    ]


def test_dpo_drops_and_says_why(feedback: Feedback, ask: Callable[..., str], tmp_path: Path) -> None:
    feedback.compare(ask("a", clip="tie"), ask("b", clip="tie"), "me", "tie")
    feedback.compare(ask("a", clip="bad"), ask("b", clip="bad"), "me", "both_bad")
    feedback.compare(ask("same", clip="same"), ask("same ", clip="same"), "me", "a")
    feedback.compare(ask("cut", clip="cut", stopped=True), ask("done", clip="cut"), "me", "a")
    feedback.rate(ask("", clip="empty"), "me", correction="something")
    for person in ("me", "you"):
        feedback.rate(ask("wrong", clip="twice"), person, correction="right")
    withdrawn = ask("hm", clip="withdrawn")
    feedback.rate(withdrawn, "me", correction="hmm")
    feedback.withdraw(withdrawn, "me")
    feedback.rate(ask("disputed", clip="disputed"), "me", thumb=1)
    feedback.rate(ask("disputed", clip="disputed"), "you", thumb=-1)
    feedback.rate(ask("other question", clip="x", question="Q1"), "me", thumb=1)
    feedback.rate(ask("other question", clip="x", question="Q2"), "me", thumb=-1)
    audit = export(feedback.database, "dpo", tmp_path)
    (row,) = samples(tmp_path)
    assert (content(row["chosen"]), content(row["rejected"])) == ("right", "wrong")
    assert +audit.dropped == {
        "tie": 1,
        "both_bad": 1,
        "identical": 1,
        "unfinished": 1,
        "empty": 1,
        "duplicate": 1,
        "withdrawn": 1,
        "contradicting": 1,
        "unpaired": 4,  # both answers of the bad pair, and one a question
    }


def test_dpo_writes_the_majority_of_opposing_votes_and_corrections(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    a, b = ask("a dog", clip="1"), ask("a cat", clip="1")
    for person, winner in (("me", "a"), ("you", "b"), ("she", "a")):
        feedback.compare(a, b, person, winner)
    feedback.rate(ask("a drum", clip="2"), "me", correction="a bell")
    feedback.rate(ask("a bell", clip="2"), "you", correction="a drum")
    audit = export(feedback.database, "dpo", tmp_path)
    (row,) = samples(tmp_path)
    assert (content(row["chosen"]), content(row["rejected"])) == ("a dog", "a cat")
    assert +audit.dropped == {"contradicting": 3, "duplicate": 1}


@pytest.mark.parametrize("other", ["a dog barks", "A dog  barks.", "A DOG BARKS. "])
def test_case_and_a_full_stop_are_no_preference(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path, other: str
) -> None:
    feedback.compare(ask("A dog barks."), ask(other), "me", "b")
    feedback.rate(ask("A dog barks."), "you", correction=other)
    audit = export(feedback.database, "dpo", tmp_path)
    assert samples(tmp_path) == []
    assert audit.dropped["alike"] == 2


def test_dpo_thumb_pairs_grow_with_the_answers_not_their_square(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    for n in range(6):
        feedback.rate(ask(f"good {n}"), "me", thumb=1)
    for n in range(4):
        feedback.rate(ask(f"bad {n}"), "me", thumb=-1)
    audit = export(feedback.database, "dpo", tmp_path)
    rows = samples(tmp_path)
    assert len(rows) == 4
    assert {content(row["rejected"]) for row in rows} == {f"bad {n}" for n in range(4)}
    assert len({content(row["chosen"]) for row in rows}) == 4
    assert audit.dropped["unpaired"] == 2


def test_kto_rows_from_thumbs_and_bad_pairs(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    feedback.rate(ask("liked"), "me", thumb=1)
    feedback.rate(ask("liked"), "you", thumb=1)
    feedback.rate(ask("disliked"), "me", thumb=-1, score=1)
    feedback.rate(ask("broken off", stopped=True), "me", thumb=1)
    feedback.rate(ask("looping", stopped=True), "me", thumb=-1)
    feedback.rate(ask("meh"), "me", thumb=0)
    feedback.rate(ask("scored"), "me", score=5)
    feedback.compare(ask("bad one"), ask("bad two"), "me", "both_bad")
    feedback.compare(ask("won"), ask("lost"), "me", "a")
    feedback.compare(ask("won"), ask("level"), "me", "tie")
    audit = export(feedback.database, "kto", tmp_path, audit=True)
    rows = samples(tmp_path)
    assert {(content(row["completion"]), row["label"]) for row in rows} == {
        ("liked", True),
        ("disliked", False),
        ("looping", False),
        ("bad one", False),
        ("bad two", False),
    }
    assert len(rows) == 5
    assert +audit.dropped == {
        "duplicate": 1,
        "unfinished": 1,
        "neutral": 1,
        "no_thumb": 1,
        "preference": 1,
        "tie": 1,
    }
    balance = json.loads((tmp_path / "audit.json").read_text())["balance"]
    weighted = balance["desirable_weight"] * balance["desirable"]
    assert 1 <= weighted / (balance["undesirable_weight"] * balance["undesirable"]) <= 4 / 3


def test_audit_reports_the_left_side_whichever_answer_stood_there(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    for n in range(8):
        a, b = ask("a", clip=str(n)), ask("b", clip=str(n))
        feedback.compare(a, b, "me", "b" if n % 2 else "a", swapped=bool(n % 2))
    feedback.compare(ask("c"), ask("d"), "you", "b", swapped=False)
    export(feedback.database, "dpo", tmp_path, audit=True)
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert audit["sides"] == {"votes": 9, "left_won": round(8 / 9, 4)}
    assert audit["annotators"] == {"count": 2, "largest_share": round(8 / 9, 4)}


def test_no_clip_is_on_both_sides_of_the_split(feedback: Feedback, make_record: Make, tmp_path: Path) -> None:
    for n in range(60):
        answer = feedback.record_answer(make_record(f"answer {n}", clip=str(n % 30)), annotator="me")
        feedback.rate(answer, "me", correction=make_record(clip=str(n % 30))["heard"]["sha256"] + str(n))
    audit = export(feedback.database, "dpo", tmp_path)
    clips = {
        split: {
            content(json.loads(line)["chosen"])[:64]
            for line in (tmp_path / f"{split}.jsonl").read_text().splitlines()
        }
        for split in ("train", "test")
    }
    assert clips["train"]
    assert clips["test"]
    assert not clips["train"] & clips["test"]
    assert audit.rows.total() == 60


@given(st.binary(min_size=32, max_size=32))
def test_every_hash_has_a_side(digest: bytes) -> None:
    assert split_of(digest.hex()) in ("train", "test")


def test_audios_name_a_file_that_is_there(feedback: Feedback, make_record: Make, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    answer = feedback.record_answer(make_record(), annotator="me", audio_path=str(clip))
    feedback.rate(answer, "me", thumb=1)
    export(feedback.database, "kto", tmp_path / "out")
    (row,) = samples(tmp_path / "out")
    (audio,) = row["audios"]
    assert Path(audio).read_bytes() == b"RIFF"
    Path(audio).unlink()
    export(feedback.database, "kto", tmp_path / "out")
    assert "audios" not in samples(tmp_path / "out")[0]


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.sets(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1
    )
)
@example({'quote " comma , semicolon ; line\r\nbreak', "NaN", "\u2028\u2029\x85"})
def test_any_text_survives_every_format(feedback: Feedback, make_record: Make, texts: set[str]) -> None:
    """Many texts at once: every example writes every format."""
    for text in texts:
        answer = feedback.record_answer(make_record(f"says {text}", question=text), annotator="me")
        feedback.rate(answer, "me", thumb=-1, correction=f"{text} corrected", comment=text)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        for name in FORMATS:
            export(feedback.database, name, out / name)
        pairs, labels = samples(out / "dpo"), samples(out / "kto")
        rows = cells(out / "csv" / "ratings.csv")
    feedback.forget(annotator="me")
    assert {
        (row["prompt"][-1]["content"], content(row["chosen"]), content(row["rejected"])) for row in pairs
    } == {(text, f"{text} corrected", f"says {text}") for text in texts}
    assert {content(row["completion"]) for row in labels if not row["label"]} == {
        f"says {text}" for text in texts
    }
    assert {(row["question"], row["answer"]) for row in rows} == {
        (escape(text), f"says {text}") for text in texts
    }


@given(st.text())
@example("=cmd|' /C calc'!A0")
def test_escaping_disarms_formulas_and_can_be_undone(text: str) -> None:
    cell = escape(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert not cell.startswith(("\t", "\r", "\n"))
    assert (cell[1:] if cell.startswith("'") else cell) == text


def test_csv_cells_are_typed_escaped_and_name_nobody(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    for n, formula in enumerate(FORMULAS):
        feedback.rate(ask(formula, clip=str(n)), "secret-browser-id", score=n % 5 + 1, comment=formula)
    feedback.rate(ask("thumb", clip="thumb"), "me", thumb=-1)
    feedback.compare(ask("=a"), ask("@b"), "me", "a")
    export(feedback.database, "csv", tmp_path)
    rows, votes = cells(tmp_path / "ratings.csv"), cells(tmp_path / "comparisons.csv")
    assert {row["answer"] for row in rows} == {f"'{formula}" for formula in FORMULAS} | {"thumb"}
    assert {row["score"] for row in rows} == {"1", "2", "3", "4", "5", ""}
    assert {row["thumb"] for row in rows} == {"", "-1"}
    assert {row["split"] for row in rows} <= {"train", "test"}
    assert {votes[0]["answer_a"], votes[0]["answer_b"]} == {"'=a", "'@b"}
    assert all("secret-browser-id" not in file.read_text() for file in tmp_path.glob("*.csv"))


def test_exporting_nothing_leaves_headers_and_no_empty_training_file(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path
) -> None:
    answer = ask("a dog")
    feedback.rate(answer, "me", thumb=1)
    export(feedback.database, "kto", tmp_path, audit=True)
    assert {file.name for file in tmp_path.glob("*.json*")} == {
        "audit.json",
        f"{split_of(feedback.answer(answer)['heard']['sha256'])}.jsonl",
    }
    feedback.withdraw(answer, "me")
    for name in FORMATS:
        export(feedback.database, name, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} - {"data"} == {
        f"{table}.{end}" for table in TABLES for end in ("csv", "parquet")
    }
    # With the mark of byte order: Excel would take the letters for its own code page's.
    assert (tmp_path / "ratings.csv").read_bytes().startswith(b'\xef\xbb\xbf"rating_id"')
    assert cells(tmp_path / "ratings.csv") == []


def test_a_failed_export_keeps_the_earlier_files(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feedback.rate(ask("a dog"), "me", thumb=1)
    export(feedback.database, "csv", tmp_path)
    earlier = (tmp_path / "ratings.csv").read_bytes()
    feedback.rate(ask("a cat", clip="cat"), "me", thumb=1)

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pandas.DataFrame.to_csv", no_space)
    with pytest.raises(StorageError, match="disk is full"):
        export(feedback.database, "csv", tmp_path)
    assert (tmp_path / "ratings.csv").read_bytes() == earlier
    assert not list(tmp_path.glob(".export-*"))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_export(
    database: Database, make_record: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.export.reader.BATCH", 5)
    monkeypatch.setattr("storage.export.tables.rows.CHUNK", 5)
    length, count = 50_000, 200  # few long rows: tracing the memory costs time by the row
    clip = database.folder / "audio" / "clip.wav"
    clip.parent.mkdir()
    clip.write_bytes(b"RIFF")
    with database.write() as session:
        session.add(Annotator(id=1, public_id="me"))
        for n in range(count):
            columns = answer_columns(make_record(f"{n}" + "x" * length, clip=str(n)))
            judgement = {"thumb": n % 2 * 2 - 1, "correction": "y" * length, "withdrawn": False}
            span = {"start_s": 1.0, "end_s": 2.0, "label": "missed", "withdrawn": False}
            answer = uuid4()
            for row in (
                Clip(sha256=columns["clip_sha256"], seconds=3.0, audio_path="audio/clip.wav"),
                Answer(**columns, id=answer, audio_kept=False),
                Rating(answer_id=answer, annotator_id=1, revision=1, **judgement),
                Span(answer_id=answer, annotator_id=1, revision=1, **span),
            ):
                session.add(row)
                session.flush()
    for name in ("parquet", "dpo"):
        export(database, name, tmp_path / "first")  # so that no import is measured
    for name in FORMATS:
        tracemalloc.start()
        audit = export(database, name, tmp_path / name)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert audit.rows.total() >= count
        assert peak < length * count / 2, name


def test_a_packed_export_tells_how_far_it_is_and_can_be_given_up(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.export.tables.rows.CHUNK", 1)
    for n in range(3):
        feedback.rate(ask(f"answer {n}", clip=str(n)), "me", thumb=1)
    progress: list[tuple[int, int]] = []
    audit = pack(feedback.database, "csv", tmp_path / "whole.zip", lambda *far: progress.append(far))
    assert [far for far in progress if far[0]][:3] == [(1, 3), (2, 3), (3, 3)]
    with zipfile.ZipFile(tmp_path / "whole.zip") as archive:
        assert set(archive.namelist()) == {*(f"{table}.csv" for table in TABLES), "audit.json"}
        assert json.loads(archive.read("audit.json")) == audit.to_json()

    class GivenUpError(Exception):
        pass

    def give_up(read: int, of: int) -> None:
        raise GivenUpError

    (tmp_path / "none").mkdir()
    with pytest.raises(GivenUpError):
        pack(feedback.database, "csv", tmp_path / "none" / "a.zip", give_up)
    assert list((tmp_path / "none").iterdir()) == []


def command(*arguments: str, data: Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    root = str(Path(storage.__file__).parents[1])
    environment = {key: value for key, value in os.environ.items() if key != "USAM_DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-m", "storage", *arguments],
        cwd=cwd,
        env={**environment, "PYTHONPATH": root, "USAM_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_the_command_line_from_any_folder(
    feedback: Feedback, ask: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feedback.rate(ask("a dog"), "me", thumb=1)
    data, cwd = feedback.database.folder, tmp_path / "elsewhere"
    cwd.mkdir()
    exported = command("export", "--format", "kto", "--out", "out", "--audit", data=data, cwd=cwd)
    assert (exported.returncode, exported.stderr) == (0, "")
    assert "1" in exported.stdout
    assert len(samples(cwd / "out")) == 1
    monkeypatch.setenv("USAM_DATA", str(data))
    monkeypatch.chdir(cwd)
    assert main(["backup", "saved.db"]) == 0  # the command again, without the seconds that a process takes
    assert main(["forget", "--annotator", "me"]) == 0
    assert feedback.answers_of("me") == []
    assert command("restore", "saved.db", data=data, cwd=cwd).returncode == 0
    assert len(feedback.answers_of("me")) == 1
    assert {file.name for file in cwd.iterdir()} == {"out", "saved.db"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["export", "--format", "xls", "--out", "x"],
        ["export", "--format", "csv"],
        ["project"],
        ["project", "make"],
        ["restore", "missing.db"],
        ["forget"],
        ["forget", "--annotator", "a", "--audio", "b"],
        ["forget", "--annotator", "nobody"],
        ["forget", "--audio", "../../etc/passwd"],
        ["backup", "missing/folder/x.db"],
    ],
)
def test_bad_usage_is_status_2_and_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("USAM_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("USAM_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    try:
        status: Any = main(arguments)
    except SystemExit as exit_:
        status = exit_.code
    printed = capsys.readouterr()
    assert (status, printed.out) == (2, "")
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("python -m storage")


@pytest.fixture
def invented(feedback: Feedback, ask: Callable[..., str]) -> list[str]:
    """A database into which strangers have put 5,000 dimensions, as they once could; what they rated."""
    answers = [ask(f"answer {n}", seed=n) for n in range(6)]
    for answer in answers:
        feedback.rate(answer, "me", dimensions={"correctness": 4, "tone": 2})
    for person in ("strange", "stranger"):
        for answer in answers[:4]:
            feedback.rate(answer, person, thumb=-1)
    with feedback.database.write() as session:
        scores = {f"invented_{n}": n % 5 + 1 for n in range(5_000)}
        session.execute(update(Rating).where(Rating.thumb == -1).values(dimensions=scores))
    return answers


@pytest.mark.parametrize("format", ["csv", "parquet", "audiofolder"])
def test_invented_dimensions_cost_no_columns_and_hide_no_known_ones(
    feedback: Feedback, invented: list[str], tmp_path: Path, format: str
) -> None:
    done = export(feedback.database, format, tmp_path, dimensions=["correctness", "tone"])
    assert done.dropped["dimension"] == 8 * (5_000 - (MOST_NAMES - 2))
    if format == "csv":
        rows = cells(tmp_path / "ratings.csv")
        columns = [name for name in rows[0] if name.startswith("dimension_")]
        assert len(columns) == MOST_NAMES
        assert len(rows) == 14
        assert [row["dimension_correctness"] for row in rows[:6]] == ["4"] * 6
        assert [row["dimension_tone"] for row in rows[:6]] == ["2"] * 6


def test_the_command_exports_what_the_setting_names(
    feedback: Feedback, invented: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("USAM_DATABASE_URL", url)
    monkeypatch.setenv("USAM_DIMENSIONS", "tone")
    assert main(["export", "--format", "csv", "--out", str(tmp_path / "out")]) == 0
    assert {row["dimension_tone"] for row in cells(tmp_path / "out" / "ratings.csv")} == {"2", ""}
    monkeypatch.setenv("USAM_DIMENSIONS", "not a name!")
    assert main(["export", "--format", "csv", "--out", str(tmp_path / "out")]) == 2


def test_what_people_agree_on_is_measured_of_so_many_dimensions_only(
    feedback: Feedback, invented: list[str]
) -> None:
    with feedback.database.read() as session:
        found = agreement(session, ["correctness", "tone"])
    assert len(found) <= MOST_NAMES
    assert {"thumb"} <= set(found["judged"])
