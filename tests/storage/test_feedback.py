"""What the UI relies on: answers come back whole, ratings change without losing their past."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from storage import Database, Feedback, new_annotator
from storage.annotation.spans import Spans
from storage.database.schema import Annotator, Clip
from storage.errors import NotFoundError, RatingError, RecordError, StorageError
from storage.ratings.validation import MAX_COMMENT, MAX_CORRECTION

Make = Callable[..., dict[str, Any]]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_answer_comes_back_whole(feedback: Feedback, make_record: Make) -> None:
    record = make_record(
        history=[{"question": "Who?", "answer": "A dog."}], added_later={"by": "a newer model"}
    )
    stored = feedback.answer(feedback.record_answer(record, annotator=None))
    assert {key: stored[key] for key in record} == record
    assert set(stored) - set(record) == {"answer_id", "parent_id", "created_at"}


def test_answer_names_its_parent_and_never_its_annotator(feedback: Feedback, make_record: Make) -> None:
    first = feedback.record_answer(make_record(), annotator="secret-browser-id")
    retry = feedback.record_answer(make_record(seed=8), annotator="secret-browser-id", parent=first)
    assert feedback.answer(retry)["parent_id"] == first
    assert "secret-browser-id" not in str(feedback.answer(retry))


@pytest.mark.parametrize(
    "change",
    [
        {"heard": {"start": 0.0, "end": 1.0, "duration": 1.0, "sha256": "../../etc/passwd"}},
        {"heard": {"start": 2.0, "end": 1.0, "duration": 3.0, "sha256": "ab" * 32}},
        {"model": {"preset": "mini"}},
        {"answer": None},
        {"threshold": float("nan")},
        {"seed": 2**63},
        {"temperature": -1.0},
        {"history": [{"question": 3, "answer": "x"}]},
    ],
)
def test_malformed_answer_is_refused_whole(
    feedback: Feedback, database: Database, make_record: Make, change: dict[str, Any]
) -> None:
    with pytest.raises(RecordError):
        feedback.record_answer(make_record(**change), annotator="me")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Clip)) == 0


def test_answer_without_a_part_says_which(feedback: Feedback, make_record: Make) -> None:
    record = make_record()
    del record["timings"]
    with pytest.raises(RecordError, match="timings"):
        feedback.record_answer(record, annotator="me")


def test_rating_changes_and_keeps_its_history(feedback: Feedback, make_record: Make) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    assert feedback.rating(answer, "me") is None
    assert feedback.history(answer, "me") == []
    first = feedback.rate(answer, "me", thumb=-1, correction="two dogs")
    second = feedback.rate(answer, "me", score=4, comment="  ")
    assert (second.id, second.revision, second.thumb, second.correction) == (first.id, 2, None, None)
    assert second.comment is None, "blank text is no comment"
    assert feedback.rating(answer, "me") == second
    assert feedback.withdraw(answer, "me")
    assert feedback.rating(answer, "me") is None
    assert not feedback.withdraw(answer, "me"), "there is nothing left to withdraw"
    third = feedback.rate(answer, "me", thumb=0)
    past = feedback.history(answer, "me")
    assert [(r.number, r.thumb, r.score, r.correction, r.withdrawn) for r in past] == [
        (1, -1, None, "two dogs", False),
        (2, None, 4, None, False),
        (3, None, None, None, True),
        (4, 0, None, None, False),
    ]
    assert third.created_at == first.created_at < third.updated_at


def test_same_rating_again_is_no_revision(feedback: Feedback, make_record: Make) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    once = feedback.rate(answer, "me", thumb=1, comment="clear")
    assert feedback.rate(answer, "me", thumb=1, comment="clear") == once
    assert len(feedback.history(answer, "me")) == 1


def test_people_do_not_see_or_change_each_others_ratings(feedback: Feedback, make_record: Make) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    mine = feedback.rate(answer, "me", thumb=1)
    feedback.rate(answer, "you", thumb=-1)
    feedback.withdraw(answer, "you")
    assert feedback.rating(answer, "me") == mine


@pytest.mark.parametrize(
    "rating",
    [
        {},
        {"comment": "   "},
        {"thumb": 2},
        {"thumb": True},
        {"score": 0},
        {"score": 6},
        {"score": 2.5},
        {"correction": "x" * (MAX_CORRECTION + 1)},
        {"thumb": 1, "comment": "x" * (MAX_COMMENT + 1)},
    ],
)
def test_impossible_rating_is_refused(feedback: Feedback, make_record: Make, rating: dict[str, Any]) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    with pytest.raises(RatingError):
        feedback.rate(answer, "me", **rating)
    assert feedback.rating(answer, "me") is None


def test_longest_texts_are_kept(feedback: Feedback, make_record: Make) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    feedback.rate(answer, "me", correction="ж" * MAX_CORRECTION, comment="🐕" * MAX_COMMENT)
    kept = feedback.rating(answer, "me")
    assert kept is not None
    assert (kept.correction, kept.comment) == ("ж" * MAX_CORRECTION, "🐕" * MAX_COMMENT)


@pytest.mark.parametrize("answer", [UNKNOWN, "", "1 OR 1=1", None])
def test_unknown_answer(feedback: Feedback, answer: Any) -> None:
    for call in (
        feedback.answer,
        lambda a: feedback.rate(a, "me", thumb=1),
        lambda a: feedback.withdraw(a, "me"),
    ):
        with pytest.raises(NotFoundError):
            call(answer)


@pytest.mark.parametrize("annotator", ["", "x" * 65, "a b", "né", "a\n"])
def test_annotator_ids_are_plain(feedback: Feedback, make_record: Make, annotator: str) -> None:
    answer = feedback.record_answer(make_record(), annotator=None)
    with pytest.raises(StorageError, match="annotator id"):
        feedback.rate(answer, annotator, thumb=1)


def test_new_annotators_are_distinct_and_accepted(feedback: Feedback, make_record: Make) -> None:
    people = {new_annotator() for _ in range(50)}
    assert len(people) == 50
    answer = feedback.record_answer(make_record(), annotator=people.pop())
    for person in people:
        feedback.rate(answer, person, thumb=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_round_trips(feedback: Feedback, make_record: Make, text: str) -> None:
    record = make_record(text, question=text, history=[{"question": text, "answer": text}])
    answer = feedback.record_answer(record, annotator="me")
    stored = feedback.answer(answer)
    assert {key: stored[key] for key in record} == record
    assert feedback.rate(answer, "me", thumb=1, comment=text).comment == (text if text.strip() else None)


def test_what_no_database_can_hold_is_replaced_not_refused(feedback: Feedback, make_record: Make) -> None:
    answer = feedback.record_answer(make_record("a\ud800b\0c"), annotator="me")
    feedback.rate(answer, "me", comment="\udfff it barked")
    rating = feedback.rating(answer, "me")
    assert rating is not None
    assert (feedback.answer(answer)["answer"], rating.comment) == ("a\ufffdb\ufffdc", "\ufffd it barked")


def test_earlier_answers_page_newest_first(feedback: Feedback, make_record: Make) -> None:
    ids = [feedback.record_answer(make_record(f"answer {n}"), annotator="me") for n in range(5)]
    feedback.record_answer(make_record(), annotator="you")
    page = feedback.answers_of("me", limit=3)
    rest = feedback.answers_of("me", limit=3, before=page[-1].answer_id)
    assert [item.answer_id for item in page + rest] == ids[::-1]
    assert page[0].text == "answer 4"
    assert feedback.answers_of("nobody") == []


def test_one_vote_a_person_and_pair_whichever_way_round(feedback: Feedback, make_record: Make) -> None:
    a, b = (feedback.record_answer(make_record(text), annotator="me") for text in ("one", "two"))
    vote = feedback.compare(a, b, "me", "a", swapped=True)
    again = feedback.compare(b, a, "me", "b", swapped=False)
    assert again == replace(vote, answer_a=b, answer_b=a, winner="b", swapped=False)
    with pytest.raises(RatingError, match="already voted"):
        feedback.compare(b, a, "me", "a")
    assert feedback.compare(b, a, "you", "tie").winner == "tie"


def test_incomparable_answers_are_refused(feedback: Feedback, make_record: Make) -> None:
    a = feedback.record_answer(make_record(), annotator="me")
    for other in (make_record(clip="cat"), make_record(question="Why?"), make_record(task="aac")):
        with pytest.raises(RatingError, match="same clip and question"):
            feedback.compare(a, feedback.record_answer(other, annotator="me"), "me", "a")
    with pytest.raises(RatingError, match="itself"):
        feedback.compare(a, a, "me", "tie")
    with pytest.raises(RatingError, match="winner"):
        feedback.compare(a, a, "me", "A")  # type: ignore[arg-type]


def test_twenty_people_at_once_lose_and_double_nothing(
    feedback: Feedback, database: Database, make_record: Make
) -> None:
    start = threading.Barrier(20)

    def visit(person: int) -> list[str]:
        start.wait()
        answers = [feedback.record_answer(make_record(), annotator=f"p{person % 10}") for _ in range(5)]
        for answer in answers:
            feedback.rate(answer, f"p{person}", thumb=1)
            feedback.rate(answer, f"p{person}", score=5)
        return answers

    with ThreadPoolExecutor(20) as pool:
        visits = list(pool.map(visit, range(20)))
    for person, answers in enumerate(visits):
        for answer in answers:
            assert [r.score for r in feedback.history(answer, f"p{person}")] == [None, 5]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Clip)) == 1
        assert session.scalar(select(func.count()).select_from(Annotator)) == 20


def test_one_rating_by_twenty_threads_has_one_line_of_revisions(
    feedback: Feedback, make_record: Make
) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: feedback.rate(answer, "me", comment=str(n)), range(40)))
    past = feedback.history(answer, "me")
    assert [revision.number for revision in past] == list(range(1, 41))
    assert {revision.comment for revision in past} == {str(n) for n in range(40)}


def test_kept_audio_is_copied_once_and_only_by_choice(
    feedback: Feedback, database: Database, make_record: Make, tmp_path: Path
) -> None:
    clip = tmp_path / "My Recording.WAV"
    clip.write_bytes(b"RIFF")
    feedback.record_answer(make_record(), annotator="me")
    assert not (database.folder / "audio").exists()
    for _ in range(2):
        feedback.record_answer(make_record(), annotator="me", audio_path=str(clip))
    kept = list((database.folder / "audio").iterdir())
    assert [file.name for file in kept] == [f"{make_record()['heard']['sha256']}.wav"]
    assert kept[0].read_bytes() == b"RIFF"


def test_kept_audio_is_found_only_for_those_who_agreed(
    feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    agreed = feedback.record_answer(make_record(), annotator="me", audio_path=str(clip))
    silent = feedback.record_answer(make_record(), annotator="you")
    kept = feedback.kept_audio(agreed)
    assert kept is not None
    assert kept.read_bytes() == b"RIFF"
    assert feedback.kept_audio(silent) is None
    kept.unlink()
    assert feedback.kept_audio(agreed) is None
    with pytest.raises(NotFoundError):
        feedback.kept_audio(UNKNOWN)


def test_audio_that_cannot_be_kept_saves_nothing(
    feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    with pytest.raises(StorageError):
        feedback.record_answer(make_record(), annotator="me", audio_path=str(tmp_path / "missing.wav"))
    assert feedback.answers_of("me") == []


def test_forgetting_a_person_leaves_others_alone(
    feedback: Feedback, database: Database, make_record: Make, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    mine = feedback.record_answer(make_record("mine"), annotator="me", audio_path=str(clip))
    alone = feedback.record_answer(make_record(clip="cat"), annotator="me", audio_path=str(clip))
    yours = feedback.record_answer(make_record("yours"), annotator="you", parent=mine)
    feedback.rate(mine, "you", thumb=1)
    feedback.rate(yours, "me", comment="unforgettable words")
    kept = feedback.rate(yours, "you", thumb=-1)
    feedback.compare(mine, yours, "you", "a")

    gone = feedback.forget(annotator="me")

    assert (gone.answers, gone.ratings, gone.comparisons, gone.clips, gone.files) == (2, 2, 1, 1, 2)
    for answer in (mine, alone):
        with pytest.raises(NotFoundError):
            feedback.answer(answer)
    assert feedback.answer(yours)["parent_id"] is None
    assert feedback.rating(yours, "you") == kept
    assert feedback.rating(yours, "me") is None
    assert list((database.folder / "audio").iterdir()) == []
    on_disk = b"".join(file.read_bytes() for file in database.folder.glob("feedback.db*"))
    assert b"unforgettable words" not in on_disk
    with pytest.raises(NotFoundError):
        feedback.forget(annotator="me")


def test_answers_that_others_judged_may_stay_without_the_person(
    feedback: Feedback, database: Database, make_record: Make, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    texts = ("rated", "compared", "marked", "alone", "withdrawn")
    mine = {
        text: feedback.record_answer(make_record(text, clip=text), annotator="me", audio_path=str(clip))
        for text in texts
    }
    other = feedback.record_answer(make_record("other", clip="compared"), annotator="you")
    feedback.rate(mine["rated"], "you", thumb=1)
    feedback.rate(mine["rated"], "me", thumb=-1)
    feedback.compare(mine["compared"], other, "you", "a")
    Spans(database).mark(mine["marked"], "you", 1.0, 1.5, "click")
    feedback.rate(mine["alone"], "me", thumb=1)
    feedback.rate(mine["withdrawn"], "you", thumb=1)
    feedback.withdraw(mine["withdrawn"], "you")
    assert feedback.holdings("me").judged == 3

    gone = feedback.forget(annotator="me", keep_judged=True)

    assert (gone.answers, gone.kept, gone.ratings, gone.comparisons) == (2, 3, 3, 0)
    assert gone.files == 5
    assert feedback.holdings("me").answers == 0
    for text in ("alone", "withdrawn"):
        with pytest.raises(NotFoundError):
            feedback.answer(mine[text])
    assert feedback.answer(mine["marked"])["answer"] == "marked"
    assert feedback.rating(mine["rated"], "you") is not None
    assert feedback.rating(mine["rated"], "me") is None
    assert list((database.folder / "audio").iterdir()) == []


def test_audio_stays_while_someone_who_agreed_remains(
    feedback: Feedback, database: Database, make_record: Make, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    for person in ("me", "you"):
        feedback.record_answer(make_record(), annotator=person, audio_path=str(clip))
    assert feedback.forget(annotator="me").files == 0
    assert len(list((database.folder / "audio").iterdir())) == 1
    assert feedback.forget(annotator="you").files == 1


def test_forgetting_a_clip_takes_everything_about_it(feedback: Feedback, make_record: Make) -> None:
    dog = feedback.record_answer(make_record(), annotator="me")
    cat = feedback.record_answer(make_record(clip="cat"), annotator="me")
    feedback.rate(dog, "you", thumb=1)
    gone = feedback.forget(audio=make_record()["heard"]["sha256"])
    assert (gone.answers, gone.ratings, gone.clips) == (1, 1, 1)
    assert [item.answer_id for item in feedback.answers_of("me")] == [cat]


def test_an_answer_s_tokens_are_kept_beside_its_record(feedback: Feedback, make_record: Make) -> None:
    ids = (0, 7, 128_255, 7)
    answer = feedback.record_answer(make_record(), annotator="me", token_ids=ids)
    assert feedback.token_ids(answer) == ids
    assert feedback.token_ids(feedback.record_answer(make_record(), annotator="me")) == ()
    assert feedback.answer(answer).keys() - make_record() == {"answer_id", "parent_id", "created_at"}
    with pytest.raises(NotFoundError):
        feedback.token_ids("gone")
    for wrong in ((-1,), (1.5,), ("1",), (True,)):
        with pytest.raises(RecordError, match="token ids"):
            feedback.record_answer(make_record(), annotator="me", token_ids=wrong)
