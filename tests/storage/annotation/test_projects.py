"""Projects: who may judge what, how far everyone is, and known answers."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import Database, Feedback, now
from storage.annotation.gold import Gold
from storage.annotation.imports import NewItem, ProjectImports
from storage.annotation.projects import Projects
from storage.annotation.queue import Queue
from storage.answers.uploads import FOLDER
from storage.database import schema
from storage.errors import NotFoundError, ProjectError, RatingError

Fill = Callable[..., list[str]]
Make = Callable[..., dict[str, Any]]


def test_a_project_is_made_changed_closed_and_opened(projects: Projects) -> None:
    made = projects.make(" Birds of 2026 ", "Rate what is heard.", 3)
    assert (made.name, made.wanted, made.open_to_all, made.closed) == ("Birds of 2026", 3, True, False)
    projects.change(made.name, "Rate only what is heard.", 2, {"anna": "Anna", "ben": "Ben"})
    now_ = projects.get(made.name)
    assert (now_.guidelines, now_.wanted, now_.open_to_all) == ("Rate only what is heard.", 2, False)
    assert now_.members == ("Anna", "Ben")
    projects.close(made.name)
    assert projects.get(made.name).closed
    projects.close(made.name, False)
    assert not projects.get(made.name).closed


@pytest.mark.parametrize(
    ("name", "guidelines", "wanted"),
    [("", "", 1), ("a/b", "", 1), ("a" * 65, "", 1), ("birds", "", 0), ("birds", "", 101), ("a\nb", "", 1)],
)
def test_what_cannot_be_a_project_is_refused(
    projects: Projects, name: str, guidelines: str, wanted: int
) -> None:
    with pytest.raises(ProjectError):
        projects.make(name, guidelines, wanted)
    assert projects.all() == []


def test_two_projects_have_two_names(projects: Projects) -> None:
    projects.make("birds")
    with pytest.raises(ProjectError, match="already"):
        projects.make("birds")
    with pytest.raises(NotFoundError):
        projects.progress("fish")


def test_a_project_is_open_to_its_members_alone(projects: Projects) -> None:
    projects.make("all")
    projects.make("annas", members={"anna": "Anna"})
    projects.make("over")
    projects.close("over")
    assert [one.name for one in projects.open_to("anna")] == ["annas", "all"]
    assert [one.name for one in projects.open_to("ben")] == ["all"]
    assert projects.open_to("anna")[0].members == (), "whom else it is assigned to is not theirs to know"


def test_a_project_whose_only_member_is_deleted_opens_to_nobody(
    projects: Projects, feedback: Feedback
) -> None:
    projects.make("annas", members={"anna": "Anna"})
    feedback.forget(annotator="anna")
    assert projects.get("annas").members == ()
    assert projects.open_to("ben") == []


def test_progress_counts_wanted_judgements_and_leaves_gold_out(
    projects: Projects, fill: Fill, feedback: Feedback
) -> None:
    projects.make("birds", wanted=2)
    a, b, _ = fill("birds", 3)
    (known,) = fill("birds", 1, gold=Gold(thumb=1))
    for person in ("p", "q", "r"):
        feedback.rate(a, person, thumb=1)
        feedback.rate(known, person, thumb=1)
    feedback.rate(b, "p", thumb=1)
    feedback.rate(b, "q", thumb=1)
    feedback.withdraw(b, "q")
    found = projects.progress("birds")
    assert (found.items, found.done, found.gold) == (3, 1, 1)
    assert (found.judgements, found.judgements_wanted) == (3, 6)


def test_everyone_has_a_score_on_the_gold_items_they_judged(
    projects: Projects, fill: Fill, feedback: Feedback, database: Database
) -> None:
    projects.make("birds", members={"anna": "Anna", "idle": "Ivo"})
    good, bad, four, text = fill("birds", 4)
    for answer, gold in (
        (good, Gold(thumb=1)),
        (bad, Gold(thumb=-1, score=1)),
        (four, Gold(score=4)),
        (text, Gold(text="Two dogs bark.")),
    ):
        projects.set_gold("birds", answer, gold)
    feedback.rate(good, "anna", thumb=1)
    feedback.rate(bad, "anna", score=5)
    feedback.rate(four, "anna", score=5)
    feedback.rate(text, "anna", correction=" two  dogs bark")
    feedback.rate(text, "ben", correction="a cat")
    feedback.rate(good, "ben", comment="says nothing of what is known")
    Queue(database).skip(four, "ben")
    people = {person.name or person.public_id: person for person in projects.people("birds")}
    assert (people["Anna"].judged, people["Anna"].gold.agreed, people["Anna"].gold.judged) == (4, 3, 4)
    assert (people["ben"].judged, people["ben"].skipped) == (2, 1)
    assert (people["ben"].gold.agreed, people["ben"].gold.judged) == (0, 1)
    assert (people["Ivo"].judged, people["Ivo"].gold.judged, people["Ivo"].latest) == (0, 0, None)
    assert "public_id" not in repr(people["ben"])
    projects.set_gold("birds", bad, None)
    assert {p.name: p.gold.judged for p in projects.people("birds")}["Anna"] == 3


@given(
    known=st.sampled_from(
        [Gold(1), Gold(-1), *(Gold(score=n) for n in range(1, 6)), Gold(1, 5), Gold(-1, 2)]
    ),
    thumb=st.sampled_from([None, 1, -1]),
    score=st.sampled_from([None, *range(1, 6)]),
)
def test_agreement_is_asked_only_of_what_was_judged(
    known: Gold, thumb: int | None, score: int | None
) -> None:
    agrees = known.agrees(thumb, score, "a correction, of which nothing is known")
    if thumb is None and score is None:
        assert agrees is None
    elif (thumb, score) == (known.thumb, known.score):
        assert agrees
    elif thumb and known.thumb and thumb != known.thumb:
        assert agrees is False


@pytest.mark.parametrize(
    ("cell", "gold"),
    [
        ("", None),
        ("Good", Gold(thumb=1)),
        (" bad ", Gold(thumb=-1)),
        ("4", Gold(score=4)),
        ("A dog.", Gold(text="A dog.")),
    ],
)
def test_a_cell_says_what_is_known(cell: str, gold: Gold | None) -> None:
    assert Gold.parse(cell) == gold


def test_a_score_out_of_range_is_no_known_judgement() -> None:
    with pytest.raises(RatingError):
        Gold.parse("9")


def test_items_are_found_by_their_words(projects: Projects, fill: Fill) -> None:
    projects.make("birds")
    _, second, _ = fill("birds", 3)
    assert [item.answer_id for item in projects.items("birds", "1.wav ANSWER")] == [second]
    assert projects.items("birds", "100%") == []
    projects.set_gold("birds", second, Gold(score=2))
    assert [(item.answer_id, item.gold) for item in projects.items("birds", gold=True)] == [
        (second, Gold(score=2))
    ]


def test_what_is_no_item_cannot_be_gold(projects: Projects, feedback: Feedback, make_record: Make) -> None:
    projects.make("birds")
    stray = feedback.record_answer(make_record(), annotator="me")
    with pytest.raises(NotFoundError):
        projects.set_gold("birds", stray, Gold(thumb=1))


def test_items_go_with_their_answers_and_members_stay(
    projects: Projects, fill: Fill, feedback: Feedback, database: Database
) -> None:
    projects.make("birds", members={"anna": "Anna"})
    fill("birds", 2, gold=Gold(thumb=1))
    assert feedback.forget(before=now() + timedelta(days=1)).answers == 2
    assert projects.items("birds") == []
    assert projects.get("birds").members == ("Anna",)
    with database.read() as session:
        assert session.query(schema.Annotator).count() == 1


def test_a_closed_project_is_deleted_and_what_people_said_stays(
    projects: Projects, fill: Fill, feedback: Feedback, database: Database, tmp_path: Path
) -> None:
    projects.make("birds", members={"anna": "Anna"})
    first, second = fill("birds", 2, gold=Gold(thumb=1))
    feedback.rate(first, "anna", thumb=1)
    clip = tmp_path / "b.wav"
    clip.write_bytes(b"RIFF")
    imports = ProjectImports(database)
    imports.add_uploads("birds", [NewItem(clip, "b.wav", "qa", "What?")])
    asked = imports.next()
    assert asked is not None
    with pytest.raises(ProjectError, match="Close the project first"):
        projects.delete("birds")
    projects.close("birds")
    assert projects.delete("birds") == 2
    assert projects.all() == []
    assert database.files.paths(f"{FOLDER}/") == []
    with pytest.raises(NotFoundError, match="taken out"):
        imports.answered(asked, second)
    with database.read() as session:
        assert session.query(schema.Answer).count() == 2
        assert session.query(schema.Rating).count() == 1
        for table in (schema.ProjectItem, schema.ProjectImport, schema.ProjectMember):
            assert session.query(table).count() == 0
    assert projects.make("birds").members == ()
