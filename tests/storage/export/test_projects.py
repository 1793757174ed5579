"""Exports of one project, and the command for projects."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage import Database, Feedback
from storage.__main__ import main
from storage.annotation.gold import Gold
from storage.annotation.imports import NewItem, ProjectImports
from storage.annotation.projects import Projects
from storage.annotation.spans import Spans
from storage.annotation.token_verdicts import TokenVerdicts
from storage.errors import NotFoundError
from storage.export import FORMATS, export, pack

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def judged(feedback: Feedback, database: Database, make_record: Make) -> tuple[str, str]:
    """Two answers to one input within the project `birds`, everything judged about them and about others."""
    Projects(database).make("birds")
    stored = []
    for clip in ("in", "out"):
        a, b = (feedback.record_answer(make_record(f"{clip} {n}", clip=clip), annotator=None) for n in "ab")
        stored.append((a, b))
        feedback.rate(a, "me", thumb=1, score=5, correction=f"{clip} corrected")
        feedback.rate(b, "me", thumb=-1, score=1)
        feedback.rate(a, "gone", thumb=1)
        feedback.withdraw(a, "gone")
        feedback.compare(a, b, "me", "a")
        Spans(database).mark(a, "me", 1.0, 2.0, "missed")
        TokenVerdicts(database).judge(a, "me", {0: "mattered"})
    a, b = stored[0]
    for id_ in (a, b):
        Projects(database).add("birds", id_, "in.wav", Gold(thumb=1) if id_ == a else None)
    return a, b


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"parquet", "audiofolder"}))
def test_a_project_s_export_holds_its_items_alone(
    judged: tuple[str, str], database: Database, tmp_path: Path, format: str
) -> None:
    done = export(database, format, tmp_path / "whole")
    part = export(database, format, tmp_path / "part", project="birds")
    text = "".join(file.read_text() for file in (tmp_path / "part").rglob("*") if file.is_file())
    assert "out a" not in text
    assert "out corrected" not in text
    if part.rows.total():
        assert "in a" in text
        of_items = 2 * (format == "csv")  # which are all of one project
        assert 2 * (part.rows.total() - of_items) == done.rows.total() - of_items
    assert 2 * part.dropped["withdrawn"] == done.dropped["withdrawn"]


def test_tables_say_where_items_came_from_and_what_is_known(
    judged: tuple[str, str], database: Database, tmp_path: Path
) -> None:
    export(database, "csv", tmp_path, project="birds")
    items = pd.read_csv(tmp_path / "items.csv")
    assert items["source"].tolist() == ["in.wav", "in.wav"]
    assert items.set_index("answer_id")["gold_thumb"].fillna(0).to_dict() == {judged[0]: 1, judged[1]: 0}
    ratings = pd.read_csv(tmp_path / "ratings.csv")
    assert set(ratings["answer_id"]) == set(judged)


def test_an_unknown_project_replaces_nothing(
    judged: tuple[str, str], database: Database, tmp_path: Path
) -> None:
    export(database, "csv", tmp_path)
    with pytest.raises(NotFoundError):
        export(database, "csv", tmp_path, project="fish")
    assert (tmp_path / "ratings.csv").exists()
    with pytest.raises(NotFoundError):
        pack(database, "csv", tmp_path / "fish.zip", project="fish")
    assert not (tmp_path / "fish.zip").exists()


def test_a_packed_export_counts_what_it_reads(
    judged: tuple[str, str], database: Database, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    pack(database, "preferences", tmp_path / "birds.zip", lambda *far: seen.append(far), project="birds")
    assert seen[0][1] == 4, "three ratings, one of them withdrawn, and a comparison"


def test_the_command_runs_a_project(
    url: str,
    feedback: Feedback,
    make_record: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("USAM_DATABASE_URL", url)

    def run(*words: str) -> str:
        assert main(["project", *words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    rules = tmp_path / "rules.txt"
    rules.write_text("Rate only what is heard.\n")
    run("make", "birds", "--wanted", "2", "--guidelines", str(rules), "--assign", "anna", "ben")
    projects = Projects(feedback.database)
    assert projects.get("birds").guidelines == "Rate only what is heard."
    run("change", "birds", "--wanted", "1")
    assert (projects.get("birds").wanted, projects.get("birds").open_to_all) == (1, False)
    assert projects.members("birds") == {"anna": "", "ben": ""}
    run("change", "birds", "--assign", "all")
    assert projects.get("birds").open_to_all
    answer = feedback.record_answer(make_record(), annotator=None)
    projects.add("birds", answer, "a.wav")
    ProjectImports(feedback.database).add("birds", [NewItem(tmp_path / "b.wav", "b.wav", "qa", "What?")])
    assert answer in run("items", "birds")
    run("gold", "birds", answer, "bad")
    feedback.rate(answer, "anna", thumb=-1)
    shown = run("show", "birds")
    assert "1 of 1 gold items right" in shown
    assert "1 waiting" in shown
    assert "anna" not in shown, "an id that a browser keeps is not printed"
    run("close", "birds")
    assert "birds: closed" in run("list")
    run("open", "birds")
    assert not projects.get("birds").closed
    assert main(["project", "show", "fish"]) == 2
    assert main(["project", "gold", "birds", answer, "9"]) == 2
    out = tmp_path / "out"
    assert main(["export", "--format", "csv", "--out", str(out), "--project", "birds", "--audit"]) == 0
    assert json.loads((out / "audit.json").read_text())["rows"]["ratings.csv"] == 1
    assert main(["project", "delete", "birds"]) == 2
    run("close", "birds")
    assert run("delete", "birds").rstrip().endswith("stay, with their ratings: 1")
    assert main(["project", "show", "birds"]) == 2
