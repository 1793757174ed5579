"""The annotation queue: who still has what to judge, in which order, and what was put aside."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from storage import Feedback, open_database
from storage.annotation.queue import Order, Queue
from storage.answers.trace_statistics import trace_statistics
from storage.database.schema import Disagreement
from storage.errors import NotFoundError, RatingError
from tests.storage.versions import take_back

Make = Callable[..., dict[str, Any]]
Ask = Callable[..., str]


@pytest.fixture
def queue(feedback: Feedback) -> Queue:
    return Queue(feedback.database)


@pytest.fixture
def ask(feedback: Feedback, make_record: Make) -> Ask:
    """Stores an answer whose only token was routed with these weights."""

    def store(text: str, routing: tuple[float, ...] = (1.0, 0.0, 0.0), **changes: Any) -> str:
        record = make_record(text, **changes)
        record["tokens"] = [{**record["tokens"][0], "routing": list(routing)}]
        return feedback.record_answer(record, annotator="asker")

    return store


def test_only_what_a_person_has_not_judged_waits(queue: Queue, feedback: Feedback, ask: Ask) -> None:
    a, b, c, d = (ask(text) for text in "abcd")
    ask("")
    feedback.rate(a, "me", thumb=1)
    feedback.rate(b, "you", thumb=1)
    feedback.rate(c, "me", thumb=1)
    feedback.withdraw(c, "me")
    queue.skip(d, "me")
    assert set(queue.upcoming("me", "newest", audio_only=False)) == {b, c}
    assert set(queue.upcoming("new here", "newest", audio_only=False)) == {a, b, c, d}
    progress = queue.progress("me", audio_only=False)
    assert (progress.judged, progress.skipped, progress.drafts, progress.left) == (1, 1, 0, 2)


def test_of_many_answers_left_it_reports_that_there_are_more(
    queue: Queue, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.annotation.queue.MOST_LEFT", 2)
    for answer, left, more in (("a", 1, False), ("b", 2, False), ("c", 2, True)):
        ask(answer)
        progress = queue.progress("me", audio_only=False)
        assert (progress.left, progress.more) == (left, more)


def test_reading_the_queue_makes_nobody_known(queue: Queue, feedback: Feedback, ask: Ask) -> None:
    ask("a")
    queue.upcoming("passer-by")
    queue.progress("passer-by")
    with pytest.raises(NotFoundError):
        feedback.forget(annotator="passer-by")


def test_a_draft_comes_back_at_the_end_as_it_was(queue: Queue, feedback: Feedback, ask: Ask) -> None:
    a, b = ask("a"), ask("b")
    queue.draft(b, "me", {"score": 2, "flags": ["unsafe"], "dimensions": {"correctness": 1}})
    assert queue.upcoming("me", "newest", audio_only=False) == [a, b]
    draft = queue.item(b, "me").draft
    assert draft is not None
    assert (draft["score"], draft["flags"], draft["dimensions"]) == (2, ["unsafe"], {"correctness": 1})
    assert queue.item(b, "you").draft is None
    assert feedback.rating(b, "me") is None
    assert queue.progress("me", audio_only=False).drafts == 1
    feedback.rate(b, "me", **draft)
    assert queue.upcoming("me", "newest", audio_only=False) == [a]
    assert queue.progress("me", audio_only=False).drafts == 0
    with pytest.raises(RatingError):
        queue.draft(a, "me", {"score": 9})


def test_what_was_put_aside_can_be_taken_back_but_what_is_judged_cannot_be_put_aside(
    queue: Queue, feedback: Feedback, ask: Ask
) -> None:
    a = ask("a")
    queue.skip(a, "me")
    queue.requeue(a, "me")
    queue.requeue(a, "me")
    assert queue.upcoming("me", audio_only=False) == [a]
    feedback.rate(a, "me", thumb=1)
    for put_aside in (lambda: queue.skip(a, "me"), lambda: queue.draft(a, "me", {"thumb": 1})):
        with pytest.raises(RatingError, match="judged this answer already"):
            put_aside()


def test_the_most_undecided_routing_comes_first(queue: Queue, ask: Ask) -> None:
    sure, unsure, between = ask("a"), ask("b", (0.34, 0.33, 0.33)), ask("c", (0.8, 0.1, 0.1))
    unknown = ask("d", ())
    assert queue.upcoming("me", "entropy", audio_only=False) == [unsure, between, sure, unknown]
    assert queue.upcoming("me", "entropy", audio_only=False, limit=2) == [unsure, between]


def test_the_most_disputed_answer_comes_first(queue: Queue, feedback: Feedback, ask: Ask) -> None:
    agreed, disputed, unjudged, apart = (ask(text) for text in "abcd")
    for person, thumb, score in (("p", 1, 1), ("q", -1, 5)):
        feedback.rate(agreed, person, thumb=1)
        feedback.rate(disputed, person, thumb=thumb, score=score)
        feedback.rate(apart, person, score=score)
    order = queue.upcoming("me", "disagreement", audio_only=False)
    assert order[:2] == [disputed, apart]
    assert set(order[2:]) == {agreed, unjudged}
    assert queue.item(disputed, "me").others == 2
    assert queue.item(disputed, "p").others == 1


@pytest.mark.parametrize(
    ("order", "index"),
    [
        ("disagreement", "ix_disputes_spread"),
        ("entropy", "ix_internals_router_entropy"),
        ("newest", "ix_answers_created_at"),
        ("chance", "sqlite_autoindex_answers_1"),
    ],
)
def test_every_order_follows_an_index(queue: Queue, ask: Ask, order: Order, index: str) -> None:
    ask("a")
    seen: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        seen.append((statement, parameters))

    event.listen(queue.database.engine, "before_cursor_execute", note)
    queue.upcoming("me", order)
    event.remove(queue.database.engine, "before_cursor_execute", note)
    statement, parameters = next(found for found in seen if "LIMIT" in found[0])
    assert queue.database.file is not None
    with closing(sqlite3.connect(queue.database.file)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert index in plan[0]
    assert not any("TEMP B-TREE" in step for step in plan)


def test_chance_has_no_order(queue: Queue, ask: Ask) -> None:
    """That thirty shuffles of eight answers agree is as good as impossible."""
    for n in range(8):
        ask(str(n))
    assert len({tuple(queue.upcoming("me", "chance", audio_only=False)) for _ in range(30)}) > 1


def test_what_cannot_be_heard_is_left_out_unless_wanted(
    queue: Queue, feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    silent = feedback.record_answer(make_record(clip="silent"), annotator="asker")
    kept = feedback.record_answer(make_record(clip="kept"), annotator="asker", audio_path=str(clip))
    assert queue.upcoming("me") == [kept]
    assert queue.progress("me").left == 1
    assert set(queue.upcoming("me", audio_only=False)) == {silent, kept}
    audio = queue.item(kept, "me").audio
    assert audio is not None
    assert audio.read_bytes() == b"RIFF"
    assert queue.item(silent, "me").audio is None


def test_marks_are_forgotten_with_the_person(queue: Queue, feedback: Feedback, ask: Ask) -> None:
    a = ask("a")
    queue.skip(a, "me")
    feedback.forget(annotator="me")
    assert queue.upcoming("me", audio_only=False) == [a]


@given(
    st.lists(
        st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3).map(lambda w: [x / sum(w) for x in w]),
        min_size=1,
        max_size=6,
    )
)
def test_internals_stay_within_their_bounds(routing: list[list[float]]) -> None:
    tokens = [{"routing": weights, "redundant": i % 2 == 0} for i, weights in enumerate(routing)]
    found = trace_statistics({"tokens": tokens, "experts": ["a", "b", "c"]})
    assert 0.0 <= found["router_entropy"] <= 1.0
    loads = {name: math.fsum(w[i] for w in routing) for i, name in enumerate("abc")}
    assert loads[found["dominant_expert"]] == max(loads.values())
    assert found["redundant_share"] == sum(token["redundant"] for token in tokens) / len(tokens)


@pytest.mark.parametrize("weights", [[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
def test_entropy_is_0_for_one_expert_and_1_for_all_equal(weights: list[float]) -> None:
    trace = {"tokens": [{"routing": weights, "redundant": False}], "experts": ["a", "b", "c"]}
    assert trace_statistics(trace)["router_entropy"] == pytest.approx(float(weights[0] < 1.0))


@pytest.mark.parametrize("trace", [{}, {"tokens": []}, {"tokens": [{}], "experts": ["a"]}, {"tokens": None}])
def test_a_trace_without_tokens_has_no_numbers(trace: dict[str, Any]) -> None:
    assert set(trace_statistics(trace).values()) == {None}


def test_disputes_are_those_of_the_ratings_whatever_was_done(
    queue: Queue, feedback: Feedback, ask: Ask
) -> None:
    quarrel, nuance, agreed, alone = (ask(text) for text in ("quarrel", "nuance", "agreed", "alone"))
    for answer, mine, yours in ((quarrel, 1, -1), (agreed, 1, 1)):
        feedback.rate(answer, "me", thumb=mine)
        feedback.rate(answer, "you", thumb=yours)
    feedback.rate(nuance, "me", score=2)
    feedback.rate(nuance, "you", score=3)
    feedback.rate(alone, "me", thumb=-1, score=1)

    def disputed() -> dict[str, float]:
        with feedback.database.read() as session:
            return {str(row.answer_id): row.spread for row in session.scalars(select(Disagreement))}

    assert disputed() == {quarrel: 1.0, nuance: 0.25}
    feedback.rate(quarrel, "you", thumb=1)
    assert disputed() == {nuance: 0.25}
    feedback.undo(quarrel, "you")
    feedback.withdraw(nuance, "me")
    assert disputed() == {quarrel: 1.0}
    feedback.rate(agreed, "they", thumb=-1, score=5)
    assert disputed() == {quarrel: 1.0, agreed: 1.0}
    feedback.forget(annotator="they")
    assert disputed() == {quarrel: 1.0}
    feedback.forget(annotator="asker")
    assert disputed() == {}


def test_disputes_of_earlier_ratings_are_measured_by_the_migration(
    feedback: Feedback, ask: Ask, url: str
) -> None:
    answer = ask("quarrel")
    feedback.rate(answer, "me", thumb=1, score=5)
    feedback.rate(answer, "you", thumb=-1, score=1)
    take_back("0006", feedback.database.engine)
    with open_database(url).read() as session:
        assert [(str(row.answer_id), row.spread) for row in session.scalars(select(Disagreement))] == [
            (answer, 2.0)
        ]
