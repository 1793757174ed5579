"""Browsing: every filter finds what it says, pages hold each answer once, and search follows every change."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from storage import Database, Feedback
from storage.answers.browse import RatingCounts, SearchFilter, browse, choices
from storage.database.schema import now

Make = Callable[..., dict[str, Any]]
Ask = Callable[..., str]
Find = Callable[..., list[str]]


@pytest.fixture
def ask(feedback: Feedback, make_record: Make) -> Ask:
    return lambda text, **changes: feedback.record_answer(make_record(text, **changes), annotator="me")


@pytest.fixture
def find(database: Database) -> Find:
    """Ids of the answers on the first page."""
    return lambda **wanted: [found.answer_id for found in browse(database, SearchFilter(**wanted)).found]


def test_words_are_found_wherever_they_were_written(ask: Ask, feedback: Feedback, find: Find) -> None:
    answered = ask("A terrier barks.")
    asked = ask("Yes.", question="Is it a Terrier?")
    corrected, commented, other = ask("no"), ask("nay"), ask("A cat.")
    feedback.rate(corrected, "me", correction="two terriers")
    feedback.rate(commented, "you", comment="It's a terrier's")
    assert find(words="terrier") == [commented, asked, answered]
    assert find(words="TERR*") == [commented, corrected, asked, answered], "words that begin so, in any case"
    assert find(words="barks a") == [answered], "all of them, in any order"
    assert find(words="terrier cat") == []
    assert find(words="  ") == [other, commented, corrected, asked, answered]
    assert find(words="?!") == []


def test_search_follows_change_withdrawal_undo_and_deletion(ask: Ask, feedback: Feedback, find: Find) -> None:
    answer = ask("A cat.")
    feedback.rate(answer, "you", comment="first")
    feedback.rate(answer, "you", comment="second")
    assert (find(words="first"), find(words="second")) == ([], [answer])
    feedback.withdraw(answer, "you")
    assert find(words="second") == []
    feedback.undo(answer, "you")
    assert find(words="second") == [answer]
    feedback.forget(annotator="you")
    assert find(words="second") == []
    assert find(words="cat") == [answer]
    feedback.forget(annotator="me")
    assert find(words="cat") == []


def test_deleted_words_are_in_no_file(ask: Ask, feedback: Feedback) -> None:
    ask("stays")
    feedback.rate(ask("goes", clip="2"), "you", comment="xylophonist")
    feedback.forget(annotator="you")
    file = feedback.database.file
    assert file is not None
    assert b"xylophonist" not in b"".join(path.read_bytes() for path in file.parent.glob("feedback.db*"))


def test_vacuum_does_not_confuse_the_search(ask: Ask, feedback: Feedback, find: Find) -> None:
    first = ask("gone", clip="gone")
    kept = ask("a terrier", clip="kept")
    feedback.rate(kept, "you", comment="lovely")
    feedback.forget(audio=feedback.answer(first)["heard"]["sha256"])
    assert feedback.database.file is not None
    with closing(sqlite3.connect(feedback.database.file)) as connection:
        connection.execute("VACUUM")
        connection.execute("INSERT INTO answers_words(answers_words) VALUES('integrity-check')")
    feedback.rate(kept, "you", comment="changed")
    assert find(words="terrier") == find(words="changed") == [kept]
    assert find(words="lovely") == []


def test_every_filter(ask: Ask, feedback: Feedback, find: Find, make_record: Make) -> None:
    model = make_record()["model"]
    liked = ask("a", task="asr", model={**model, "fingerprint": "cafe", "quantization": "int8"})
    tokens = [{**make_record()["tokens"][0], "routing": [0.0, 0.0, 1.0]}]
    disliked, plain = ask("b", tokens=tokens), ask("c")
    feedback.rate(liked, "me", thumb=1, score=5)
    feedback.rate(disliked, "me", thumb=-1)
    feedback.rate(disliked, "you", score=5)
    feedback.rate(plain, "me", thumb=1)
    feedback.withdraw(plain, "me")
    assert find(task="asr") == find(model="cafe") == find(quantization="int8") == [liked]
    assert find(kind="music") == [disliked]
    assert find(thumb=1) == [liked]
    assert find(thumb=-1, score=5) == [], "of one person, not of two"
    assert find(score=5) == [disliked, liked]
    assert find(since=now()) == find(until=now() - timedelta(hours=1)) == []
    assert find(since=now() - timedelta(hours=1), until=now(), words="b") == [disliked]


def test_a_page_shows_what_was_written(ask: Ask, feedback: Feedback, database: Database) -> None:
    answer = ask("a dog")
    for number in range(7):
        feedback.rate(answer, f"person-{number}", thumb=1 if number else -1, comment=f"comment {number}")
    feedback.rate(answer, "silent", score=2)
    (found,) = browse(database, SearchFilter()).found
    assert found.counts == RatingCounts(ratings=8, up=6, down=1, mean_score=2.0)
    assert [written.comment for written in found.texts] == [f"comment {n}" for n in (6, 5, 4, 3, 2)]
    assert (found.text, found.kind, found.task) == ("a dog", "speech", "qa")
    assert choices(database).kinds == ("speech",)
    assert choices(database).models == ("f00d",)


def test_pages_hold_every_answer_once_also_when_times_are_the_same(
    ask: Ask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = now()
    monkeypatch.setattr("storage.database.schema.Answer.__table__.c.created_at.default.arg", lambda _: then)
    ids = {ask(str(n), task="asr" if n % 3 else "qa") for n in range(11)}
    seen, after = [], None
    while True:
        page = browse(database, SearchFilter(), after, limit=4)
        seen += [found.answer_id for found in page.found]
        if (after := page.after) is None:
            break
    assert len(seen) == len(ids) == 11
    assert set(seen) == ids


def test_a_page_looks_at_so_many_and_the_next_goes_on_there(
    ask: Ask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.answers.browse.MOST_SCANNED", 3)
    rare = ask("rare", task="asr")
    for n in range(7):
        ask(str(n))
    pages, after = [], None
    while True:
        page = browse(database, SearchFilter(task="asr"), after)
        pages.append([found.answer_id for found in page.found])
        if (after := page.after) is None:
            break
    assert pages == [[], [], [rare]]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=30))
def test_whatever_is_typed_is_words(database: Database, words: str) -> None:
    assert browse(database, SearchFilter(words=words)).found == ()


def test_indexes_are_used(ask: Ask, database: Database, tmp_path: Path) -> None:
    """No request reads a whole table of answers or ratings: each begins at a search or at an index."""
    ask("a dog")
    seen: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    for wanted in (
        SearchFilter(),
        SearchFilter(words="dog"),
        SearchFilter(thumb=1, task="qa"),
        SearchFilter(since=now()),
    ):
        browse(database, wanted)
    event.remove(database.engine, "before_cursor_execute", note)
    assert database.file is not None
    with closing(sqlite3.connect(database.file)) as connection:
        steps = [
            step[3]
            for statement, parameters in seen
            for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    whole = [
        step for step in steps if step.startswith(("SCAN answers", "SCAN ratings")) and "INDEX" not in step
    ]
    assert [step for step in whole if "VIRTUAL TABLE" not in step] == []
    assert any("USING INDEX ix_answers_created_at" in step for step in steps)
    assert any("USING COVERING INDEX ix_ratings_answer_id_withdrawn_thumb_score" in step for step in steps)
    assert any("answers_words VIRTUAL TABLE" in step for step in steps)
