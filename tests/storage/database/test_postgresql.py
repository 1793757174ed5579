"""The same promises on PostgreSQL.

Runs where USAM_TEST_POSTGRESQL names a database that may be written to, such as
postgresql+psycopg://me@localhost/scratch; every test has a schema of its own there.
"""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, delete, event, make_url, text
from sqlalchemy.orm import Session

import storage
from storage import Database, Feedback, only_process, open_database
from storage.analysis.agreement import agreement
from storage.analysis.preference import votes
from storage.analysis.ratings import by_group, ratings
from storage.annotation.gold import Gold
from storage.annotation.imports import NewItem, ProjectImports
from storage.annotation.project_queue import ProjectQueue
from storage.annotation.projects import Projects
from storage.annotation.queue import Queue
from storage.answers.browse import SearchFilter, browse
from storage.answers.uploads import FOLDER
from storage.database.schema import Annotator, Answer, Base
from storage.database.search import answers_with
from storage.errors import NotFoundError, RecordError, SchemaError, StorageError
from storage.export import FORMATS, export
from storage.maintenance.retention import prune
from tests.postgresql import SERVER, needs_postgresql, scratch_schema
from tests.storage.replicas import test_shared_limits as shared
from tests.storage.versions import VERSIONS, everything_works, fill, made_by

Make = Callable[..., dict[str, Any]]

pytestmark = needs_postgresql


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("USAM_DATA", str(tmp_path / "data"))
    with scratch_schema() as inside:
        yield inside


def test_migrations_build_exactly_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        options = {"compare_type": True, "include_name": lambda name, *_: "_words" not in (name or "")}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_processes_that_start_at_once_all_succeed(url: str, tmp_path: Path) -> None:
    code = (
        "import sys; from storage import open_database, Feedback\n"
        "sys.stdin.readline(); Feedback(open_database(sys.argv[1])).answers_of('me'); print('ready')"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, url],
            env={**os.environ, "PYTHONPATH": str(Path(storage.__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert [racer.communicate(timeout=60) for racer in racers] == [("ready\n", "")] * 3


def test_answers_ratings_and_votes_are_kept_exported_and_forgotten(
    feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    record = make_record(history=[{"question": "Who?", "answer": "A dog."}])
    first = feedback.record_answer(record, annotator="me")
    second = feedback.record_answer({**record, "answer": "a cat", "seed": 8}, annotator="me", parent=first)
    stored = feedback.answer(first)
    assert {key: stored[key] for key in record} == record
    assert [item.answer_id for item in feedback.answers_of("me")] == [second, first]
    assert [item.answer_id for item in feedback.answers_of("me", before=second)] == [first]

    feedback.rate(first, "me", thumb=-1, comment="no")
    feedback.rate(first, "me", thumb=1, score=5)
    assert feedback.withdraw(first, "me")
    feedback.rate(first, "me", thumb=1)
    past = feedback.history(first, "me")
    assert [(r.number, r.thumb, r.withdrawn) for r in past] == [
        (1, -1, False),
        (2, 1, False),
        (3, None, True),
        (4, 1, False),
    ]
    assert feedback.compare(second, first, "me", "b") == feedback.compare(second, first, "me", "b")

    for kind in ("csv", "dpo", "kto"):
        export(feedback.database, kind, tmp_path / kind, audit=True)
    pairs = "".join(file.read_text() for file in (tmp_path / "dpo").glob("*.jsonl"))
    assert pairs.count("a cat") == 1

    gone = feedback.forget(annotator="me")
    assert (gone.answers, gone.ratings, gone.comparisons, gone.clips) == (2, 1, 1, 1)
    with pytest.raises(NotFoundError):
        feedback.answer(first)


@pytest.mark.parametrize("change", [{"seed": 2**63}, {"temperature": -1.0}])
def test_a_record_that_breaks_a_rule_is_refused_by_name(
    feedback: Feedback, make_record: Make, change: dict[str, Any]
) -> None:
    with pytest.raises(RecordError, match="nothing was saved"):
        feedback.record_answer(make_record(**change), annotator="me")
    assert feedback.answers_of("me") == []


def test_a_reader_sees_one_snapshot(database: Database, feedback: Feedback, make_record: Make) -> None:
    count = text("SELECT count(*) FROM answers")
    with database.read() as session:
        before = session.scalar(count)
        feedback.record_answer(make_record(), annotator="me")
        assert session.scalar(count) == before
    assert len(feedback.answers_of("me")) == 1


def test_a_connection_the_server_has_cut_is_replaced(feedback: Feedback, make_record: Make) -> None:
    answer = feedback.record_answer(make_record(), annotator="me")
    with feedback.database.read() as session:
        process = session.scalar(text("SELECT pg_backend_pid()"))
    with create_engine(SERVER).connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
    assert feedback.answer(answer)["answer"] == "a dog barks"


def test_a_newer_schema_is_left_alone(database: Database, url: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="newer version"):
        open_database(url)


def test_a_server_that_is_not_there_is_reported_in_a_sentence() -> None:
    nowhere = make_url(SERVER).set(host="127.0.0.1", port=1)
    with pytest.raises(StorageError, match=r"^The database cannot be reached"):
        open_database(nowhere.render_as_string(hide_password=False))


def test_judgements_in_depth_the_queue_and_what_they_say(
    database: Database, feedback: Feedback, make_record: Make, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    first, second, third = (
        feedback.record_answer(make_record(text, seed=n), annotator="asker", audio_path=str(clip))
        for n, text in enumerate(("one", "two", "three"))
    )
    feedback.rate(first, "me", thumb=1, dimensions={"correctness": 4}, flags=["unsafe"])
    feedback.rate(first, "me", thumb=-1)
    undone = feedback.undo(first, "me")
    assert undone is not None
    assert (undone.thumb, undone.dimensions, undone.flags) == (1, {"correctness": 4}, ("unsafe",))
    feedback.rate(first, "you", thumb=-1)
    feedback.compare(first, second, "me", "a")

    queue = Queue(feedback.database)
    assert queue.upcoming("new", "disagreement")[0] == first
    for order in ("entropy", "chance", "newest"):
        assert set(queue.upcoming("me", order)) == {second, third}, order
    queue.draft(second, "me", {"score": 3})
    queue.skip(third, "me")
    assert queue.upcoming("me") == [second]
    draft = queue.item(second, "me").draft
    assert draft is not None
    assert draft["score"] == 3
    counts = queue.progress("me")
    assert (counts.judged, counts.skipped, counts.drafts, counts.left) == (1, 1, 1, 1)

    with database.read() as session:
        assert by_group(ratings(session), "dominant_expert")["count"].tolist() == [2]
        assert agreement(session)["answers"].tolist() == [1]
        assert len(votes(session)) == 1
    for name in FORMATS:
        export(database, name, tmp_path / name, audit=True)
    assert feedback.holdings("asker").audio == 1
    assert prune(database, 1).answers == 0
    assert feedback.forget(annotator="asker").answers == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_works_on_what_an_earlier_version_left(version: str, url: str, make_record: Make) -> None:
    engine = made_by(version, url)
    fill(engine, version, make_record())
    engine.dispose()
    everything_works(url)


def test_words_are_searched_by_their_index(database: Database, feedback: Feedback, make_record: Make) -> None:
    first, second = (feedback.record_answer(make_record(text), annotator="me") for text in ("barks", "purrs"))
    feedback.rate(second, "you", thumb=1, comment="a terrier's")
    for words, wanted in (("BARK*", [first]), ("terrier", [second]), ("hear", [second, first]), ("bark", [])):
        page = browse(database, SearchFilter(words=words))
        assert [found.answer_id for found in page.found] == wanted, words
    assert browse(database, SearchFilter(thumb=1), limit=1).found[0].counts.up == 1
    last = browse(database, SearchFilter(), limit=1).after
    assert [found.answer_id for found in browse(database, SearchFilter(), last).found] == [first]
    with database.read() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        query = answers_with(session, ["terrier"]).compile(
            session.get_bind(), compile_kwargs={"literal_binds": True}
        )
        plan = "\n".join(session.scalars(text(f"EXPLAIN {query}".replace(":*", "\\:*"))))
    assert "ix_answers_words" in plan
    assert "ix_ratings_words" in plan


def until_somebody_waits(database: Database) -> None:
    """Until another session of this database waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with database.engine.connect() as connection:
        while not connection.scalar(waiting):
            connection.rollback()


def doomed(session: Session, what: str) -> None:
    """Delete the only answer, or the only person, in a transaction that is still open."""
    session.execute(delete(Answer) if what == "answer" else delete(Annotator))
    session.flush()


@pytest.mark.parametrize("rated_before", [False, True])
def test_a_rating_of_what_is_being_deleted_is_refused(
    feedback: Feedback, make_record: Make, rated_before: bool
) -> None:
    answer = feedback.record_answer(make_record(), annotator=None)
    if rated_before:
        feedback.rate(answer, "me", thumb=-1)
    with ThreadPoolExecutor(1) as pool:
        with feedback.database.write() as session:
            doomed(session, "answer")
            rating = pool.submit(feedback.rate, answer, "me", thumb=1)
            until_somebody_waits(feedback.database)
        with pytest.raises(NotFoundError):
            rating.result(timeout=30)


def test_a_rating_by_who_is_being_deleted_is_a_new_persons(feedback: Feedback, make_record: Make) -> None:
    answer = feedback.record_answer(make_record(), annotator=None)
    feedback.rate(answer, "me", thumb=-1)
    with ThreadPoolExecutor(1) as pool:
        with feedback.database.write() as session:
            doomed(session, "person")
            rating = pool.submit(feedback.rate, answer, "me", thumb=1)
            until_somebody_waits(feedback.database)
        assert rating.result(timeout=30).revision == 1, "nothing of the rating before is left"
    assert feedback.holdings("me").ratings == 1


def test_half_a_migration_is_named(database: Database, url: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    with pytest.raises(SchemaError, match="update was interrupted"):
        open_database(url)


def test_clips_uploaded_to_a_machine_that_died_are_imported_on_another(
    url: str, make_record: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    bucket, upload = f"memory://{uuid.uuid4().hex}", tmp_path / "clip.wav"
    upload.write_bytes(b"RIFF")
    monkeypatch.setenv("USAM_DATA", str(here))
    receiver = ProjectImports(open_database(url, storage=bucket))
    Projects(receiver.database).make("birds")
    clips = [NewItem(upload, name, "qa", "What?") for name in ("first", "second")]
    assert receiver.add_uploads("birds", clips).added == 2
    with only_process(receiver.database, "import") as mine:
        assert mine
        receiver.database.close()
    shutil.rmtree(here)
    monkeypatch.setenv("USAM_DATA", str(there))
    feedback = Feedback(open_database(url, storage=bucket))
    imports = ProjectImports(feedback.database)
    imports.clean()
    with only_process(feedback.database, "import") as mine:
        assert mine
        while item := imports.next():
            file = imports.file(item)
            assert file is not None
            assert file.read_bytes() == b"RIFF"
            imports.answered(item, feedback.record_answer(make_record(clip=item.source), annotator=None))
    assert Projects(feedback.database).progress("birds").items == 2
    assert feedback.database.files.paths(f"{FOLDER}/") == []
    assert not [file for file in there.rglob("*") if file.is_file()]
    feedback.database.close()


def test_a_project_gives_an_item_to_no_more_people_than_are_wanted(
    database: Database, feedback: Feedback, make_record: Make
) -> None:
    projects, imports = Projects(database), ProjectImports(database)
    key = projects.make("birds", "Listen.", 1, {f"p{n}": f"Person {n}" for n in range(5)}).key
    clips = [NewItem(Path(f"/{n}.wav"), f"{n}.wav", "qa", "What?", Gold(score=n or None)) for n in range(3)]
    assert imports.add("birds", clips).added == 3
    while item := imports.next():
        answer = feedback.record_answer(make_record(clip=item.source), annotator=None)
        imports.answered(item, answer)
    for n in range(7):
        projects.add("birds", feedback.record_answer(make_record(clip=f"plain {n}"), annotator=None), "plain")
    gold = {item.answer_id for item in projects.items("birds", gold=True)}
    assert len(gold) == 2
    queue = ProjectQueue(database, 1, key=key)
    people = [f"p{n}" for n in range(5)]
    with ThreadPoolExecutor(5) as pool:
        given = list(pool.map(lambda person: queue.upcoming(person, audio_only=False, page="one"), people))
    ordinary = [id_ for ids in given for id_ in ids if id_ not in gold]
    assert len(ordinary) == len(set(ordinary)) == 8
    for person, ids in zip(people, given, strict=True):
        for id_ in ids:
            feedback.rate(id_, person, score=2)
    assert projects.progress("birds").done == 8
    assert sum(one.gold.judged for one in projects.people("birds")) == sum(
        id_ in gold for ids in given for id_ in ids
    )
    assert len(projects.items("birds", "PLAIN")) == 7
    assert queue.progress("p0", audio_only=False).judged == len(given[0])
    with pytest.raises(NotFoundError):
        queue.upcoming("stranger")


def test_pages_that_ask_at_once_are_given_each_answer_once(
    feedback: Feedback, make_record: Make, url: str
) -> None:
    ids = [feedback.record_answer(make_record(clip=f"clip {n}"), annotator="asker") for n in range(23)]
    replicas = [Queue(open_database(url)) for _ in range(2)]
    pages = [(queue, person, page) for queue in replicas for person in "ab" for page in "xyz"]

    def ask(page: tuple[Queue, str, str]) -> list[str]:
        queue, person, name = page
        name += str(replicas.index(queue))
        return queue.upcoming(person, "newest", audio_only=False, page=name)

    with ThreadPoolExecutor(len(pages)) as pool:
        given = list(pool.map(ask, pages))
    assert sorted(id_ for some in given for id_ in some) == sorted(ids)
    for queue in replicas:
        queue.database.close()


@pytest.mark.parametrize(
    "check",
    [
        shared.test_requests_at_two_processes_are_counted_together,
        shared.test_places_of_a_process_that_is_gone_lapse,
    ],
)
def test_limits_hold_for_all_processes(
    check: Callable[[list[Database], pytest.MonkeyPatch], None], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check([open_database(url) for _ in range(2)], monkeypatch)


@pytest.mark.parametrize(
    "check",
    [shared.test_places_at_two_processes_are_counted_together, shared.test_one_process_at_a_time_has_a_lock],
)
def test_what_processes_share(check: Callable[[list[Database]], None], url: str) -> None:
    check([open_database(url) for _ in range(2)])


def test_the_undecided_router_first_follows_an_index(
    database: Database, feedback: Feedback, make_record: Make
) -> None:
    """With a sort, the queue would take seconds of each person who opens it."""
    feedback.record_answer(make_record(), annotator="asker")
    seen: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if "router_entropy" in statement:
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    Queue(database).upcoming("me", "entropy", audio_only=False)
    event.remove(database.engine, "before_cursor_execute", note)
    statement, parameters = seen[0]
    with database.engine.connect() as connection:
        for kind in ("seqscan", "sort"):
            connection.execute(text(f"SET LOCAL enable_{kind} = off"))
        plan = "\n".join(line for (line,) in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
    assert "ix_internals_router_entropy" in plan
    assert "Sort" not in plan
