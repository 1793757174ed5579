"""`python -m usam ask --batch`, with a small engine: what it writes, and how it goes on."""

import csv
import json
import wave
from pathlib import Path
from typing import Any

import pytest

import usam.cli.main
import usam.cli.options
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.schema.tasks import TASKS

FEW = ["--max-new-tokens", "3"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two clips, one of them asked about twice, and one that is not there; paths relative to the table."""
    (tmp_path / "clips").mkdir()
    for name, pitch in (("low", 2), ("high", 8)):
        with wave.open(str(tmp_path / "clips" / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 8_000, "NONE", ""))
            file.writeframes(b"".join((9_000 * (i // pitch % 2)).to_bytes(2, "little") for i in range(8_000)))
    return write(
        tmp_path / "clips.csv",
        ["path", "question", "task", "note"],
        ["clips/low.wav", "What is this?", "", "x"],
        ["clips/high.wav", "", "asr", ""],
        ["clips/missing.wav", "Who?", "qa", ""],
        ["clips/low.wav", "Is it, perhaps, “loud”?", "qa", ""],
    )


def write(path: Path, *lines: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


@pytest.fixture
def loads(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the engine was loaded, in its length."""
    loaded: list[int] = []

    def load(options: Any) -> Engine:
        loaded.append(1)
        return engine

    monkeypatch.setattr(usam.cli.options, "load_engine", load)
    return loaded


def batch(table: Path, *more: str) -> int:
    return usam.cli.main.main(["ask", "--batch", str(table), *FEW, *more])


def records(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_every_row_has_a_line_and_refusals_are_reported(
    table: Path, engine: Engine, loads: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert batch(table) == 2
    assert capsys.readouterr().err == "usam: 1 of 4 rows were refused; their lines in clips.jsonl say why.\n"
    first, second, missing, last = written = records(table.with_suffix(".jsonl"))
    assert [(record["row"], record["path"]) for record in written] == [
        (1, "clips/low.wav"), (2, "clips/high.wav"), (3, "clips/missing.wav"), (4, "clips/low.wav")
    ]  # fmt: skip
    assert (first["question"], first["task"]) == ("What is this?", "qa")
    assert (second["question"], second["task"]) == (TASKS["asr"].prompt, "asr")
    assert missing["error"] == "missing.wav does not exist, or is not a file."
    assert last["question"] == "Is it, perhaps, “loud”?"
    assert first["heard"]["sha256"] == last["heard"]["sha256"] != second["heard"]["sha256"]
    alone = engine.ask(str(table.parent / "clips/low.wav"), "What is this?", max_new_tokens=3).to_json()
    assert {key: first[key] for key in alone if key != "timings"} == {
        key: value for key, value in json.loads(json.dumps(alone)).items() if key != "timings"
    }


def test_a_table_that_is_all_answered_ends_with_status_0(
    table: Path, loads: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    write(table, ["path"], ["clips/low.wav"])
    assert batch(table, "--task", "aac", "--out", str(table.with_name("out.jsonl"))) == 0
    [record] = records(table.with_name("out.jsonl"))
    assert record["task"] == "aac"
    assert "1 answers" in capsys.readouterr().out


def test_a_run_that_was_cut_goes_on_where_it_was(table: Path, loads: list[int]) -> None:
    batch(table)
    output = table.with_suffix(".jsonl")
    whole = records(output)
    lines = output.read_bytes().splitlines(keepends=True)
    output.write_bytes(lines[0] + lines[1][: len(lines[1]) // 2])  # killed while it wrote the second
    assert batch(table) == 2
    again = records(output)
    assert output.read_bytes().startswith(lines[0])
    assert [(r["row"], r.get("answer")) for r in again] == [(r["row"], r.get("answer")) for r in whole]


def test_nothing_is_loaded_when_nothing_is_left(table: Path, loads: list[int]) -> None:
    batch(table)
    before = table.with_suffix(".jsonl").read_bytes()
    assert batch(table) == 2
    assert len(loads) == 1
    assert table.with_suffix(".jsonl").read_bytes() == before


def test_a_line_taken_out_is_asked_again(table: Path, loads: list[int]) -> None:
    batch(table)
    output = table.with_suffix(".jsonl")
    lines = output.read_text("utf-8").splitlines(keepends=True)
    (table.parent / "clips/low.wav").rename(table.parent / "clips/missing.wav")
    output.write_text("".join(lines[:2] + lines[3:]), "utf-8")
    assert batch(table) == 0
    assert sorted(record["row"] for record in records(output)) == [1, 2, 3, 4]


@pytest.mark.parametrize("content", ["other\n", '{"row": 1}\n', '{"row": 99, "path": "x"}\n', "[]\n"])
def test_an_output_of_something_else_is_not_touched(table: Path, loads: list[int], content: str) -> None:
    output = table.with_suffix(".jsonl")
    output.write_text(content)
    assert batch(table) == 2
    assert output.read_text() == content
    assert loads == []


def test_a_table_that_changed_is_noticed(table: Path, loads: list[int]) -> None:
    batch(table)
    write(table, ["path", "question"], ["clips/high.wav", "What is this?"])
    assert batch(table) == 2
    assert len(records(table.with_suffix(".jsonl"))) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no rows below its header"),
        ("path\n", "no rows below its header"),
        ("file,question\na.wav,What?\n", "no column called path"),
        ("path,task\na.wav,\nb.wav,sing\n", "Row 2 of t.csv: There is no task called 'sing'"),
        ("path,question\na.wav," + "w" * 501 + "\n", "Row 1 of t.csv: The question is too long"),
        ("path,question\n,What?\n", "Row 1 of t.csv has no path"),
        ("path\n\xff\n", "cannot be read as a CSV file"),
    ],
)
def test_a_table_that_cannot_be_asked_is_reported_before_the_model_is_loaded(
    tmp_path: Path, loads: list[int], capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    (tmp_path / "t.csv").write_text(text, "latin-1")
    assert batch(tmp_path / "t.csv") == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert loads == []


def test_a_missing_table_and_an_output_that_cannot_be_written_are_reported(
    table: Path, loads: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert batch(table.with_name("none.csv")) == 2
    assert "none.csv cannot be read" in capsys.readouterr().err
    assert batch(table, "--out", str(table.parent / "no" / "such" / "folder.jsonl")) == 2
    assert "folder.jsonl cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["a.wav", "--batch", "t.csv"], ["a.wav", "--out", "x"],
                                   ["--batch", "t.csv", "--start", "1"]])  # fmt: skip
def test_a_clip_or_a_table_but_not_both(words: list[str], loads: list[int]) -> None:
    with pytest.raises(SystemExit) as stopped:
        usam.cli.main.main(["ask", *words])
    assert stopped.value.code == 2


def test_what_was_answered_before_a_failure_is_kept(
    table: Path, engine: Engine, loads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Engine.ask

    def fail_at_the_second(self: Engine, clip: str, *arguments: Any, **options: Any) -> Any:
        if clip.endswith("high.wav"):
            raise KeyboardInterrupt
        return ask(self, clip, *arguments, **options)

    monkeypatch.setattr(Engine, "ask", fail_at_the_second)
    assert batch(table) == 130
    assert [record["row"] for record in records(table.with_suffix(".jsonl"))] == [1]


def test_progress_counts_the_rows(table: Path, engine: Engine) -> None:
    from usam.engine.batch import read_table, run_batch

    told: list[tuple[str, float]] = []
    run_batch(
        table,
        table.with_suffix(".jsonl"),
        read_table(table),
        lambda: engine,
        lambda *step: told.append(step),
        max_new_tokens=2,
    )
    assert told[0] == ("1 of 4: clips/low.wav", 0.0)
    assert told[-1] == ("4 of 4", 1.0)


def test_questions_are_read_as_they_are_asked(tmp_path: Path) -> None:
    from usam.engine.batch import read_table

    text = '\ufeffpath, question\na.wav,"What\nis  this?"\n'
    (tmp_path / "t.csv").write_text(text, "utf-8")
    [row] = read_table(tmp_path / "t.csv")
    assert (row.path, row.question, row.task) == ("a.wav", "What is this?", "qa")
    with pytest.raises(RequestError):
        read_table(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "path,question,task\na.wav,Who?,ASR\n",
        "path;question;task\na.wav;Who?;asr\n",
        "path\tquestion\ttask\na.wav\tWho?\tasr\n",
        "sep=;\r\nPath;Question;Task\r\na.wav;Who?;asr\r\n",
        '"sep=|"\npath|question|task\na.wav|Who?|asr\n',
        "path,question,task\na.wav,Who?,asr\n,,\n\n , ,\n",
        "question,task,path\nWho?,asr,a.wav\n,\n",
        '"path" ; "question" ; "task"\n"a.wav" ; "Who?" ; Asr\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_are_read_as_spreadsheets_write_them(tmp_path: Path, text: str, encoding: str) -> None:
    from usam.engine.batch import Row, read_table

    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    assert read_table(tmp_path / "t.csv") == [Row(1, "a.wav", "Who?", "asr")]


@pytest.mark.parametrize("failure", [ValueError("odd samples"), MemoryError(), OSError("gone")])
def test_an_unforeseen_failure_is_its_row_s_error_and_the_others_are_answered(
    table: Path, loads: list[int], monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    ask = Engine.ask

    def fail_at_the_second(self: Engine, clip: str, *arguments: Any, **options: Any) -> Any:
        if clip.endswith("high.wav"):
            raise failure
        return ask(self, clip, *arguments, **options)

    monkeypatch.setattr(Engine, "ask", fail_at_the_second)
    assert batch(table) == 2
    written = records(table.with_suffix(".jsonl"))
    assert [record["row"] for record in written if "error" in record] == [2, 3]
    assert type(failure).__name__ in written[1]["error"]
    assert batch(table) == 2
    assert records(table.with_suffix(".jsonl")) == written


def test_a_parquet_table_and_a_folder_are_asked_about_as_a_csv_table_is(
    table: Path, tmp_path: Path, loads: list[int]
) -> None:
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    from usam.engine.batch import read_table, rows_of

    parquet.write_table(arrow_csv.read_csv(table), tmp_path / "clips.parquet")
    assert [row.key for row in read_table(tmp_path / "clips.parquet")] == [
        row.key for row in read_table(table)
    ]
    (tmp_path / "clips" / "notes.txt").write_text("no sound")
    assert [row.path for row in rows_of(tmp_path / "clips", question="What?")] == ["high.wav", "low.wav"]
    (tmp_path / "empty").mkdir()
    for wrong in (tmp_path / "empty", tmp_path / "clips" / "notes.txt"):
        with pytest.raises(RequestError):
            rows_of(wrong)
    (tmp_path / "no.parquet").write_text("path")
    with pytest.raises(RequestError, match="Parquet"):
        rows_of(tmp_path / "no.parquet")
    out = tmp_path / "answers.parquet"
    assert usam.cli.main.main(["ask", "--batch", str(tmp_path / "clips"), "--out", str(out), *FEW]) == 0
    assert [line["path"] for line in parquet.read_table(out).to_pylist()] == ["high.wav", "low.wav"]
