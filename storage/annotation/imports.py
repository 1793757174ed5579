"""Clips that are to become items of a project: whoever has the model asks about one after another.

A person may stop that, for all processes and projects together, until somebody adds clips or goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Row, Select, delete, func, select, update
from sqlalchemy.orm import Session

from storage.annotation.gold import Gold
from storage.answers import uploads
from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import answer_key, insert_missing
from storage.database.membership import project_key
from storage.database.text import clean
from storage.errors import NotFoundError

LISTED = 100
Asked = tuple[str, str, str]


@dataclass(frozen=True)
class NewItem:
    """path: where the clip's file is. source: its name for people, in lists and exports."""

    path: Path
    source: str
    task: str
    question: str
    gold: Gold | None = None


@dataclass(frozen=True)
class WaitingItem:
    """A clip that is yet to be asked about, or, with `error`, that could not be. path: of its file, which
    `ProjectImports.file` finds."""

    key: int
    project: str
    path: str
    source: str
    task: str
    question: str
    error: str | None


@dataclass(frozen=True)
class Added:
    """known: how many were in the project already, or waited for it."""

    added: int
    known: int


@dataclass(frozen=True)
class ProjectImports:
    """Every method may raise StorageError; those that take a project's name NotFoundError."""

    database: Database

    def add(self, project: str, items: Iterable[NewItem]) -> Added:
        """Have clips asked about, all or none of them, and what was stopped; their files stay where they are.
        A name with the same question and task is not asked about again, unless it had failed."""
        return self._add(project, [(str(item.path.absolute()), item) for item in items])

    def add_uploads(self, project: str, items: Iterable[NewItem]) -> Added:
        """The same with clips whose files are deleted after a while: they are copied to where every machine
        finds them, until they were asked about."""
        copies: dict[Path, str] = {}
        copied = []
        try:
            for item in items:
                if item.path not in copies:
                    copies[item.path] = uploads.new_path(item.path)
                    self.database.files.put(copies[item.path], item.path)
                copied.append((copies[item.path], item))
            return self._add(project, copied)
        finally:  # what is in the project already, or could not be added
            uploads.remove_unneeded(self.database, copies.values())

    def _add(self, project: str, items: Iterable[tuple[str, NewItem]]) -> Added:
        """Each with the path of its file."""
        added = known = 0
        replaced = []
        with self.database.write() as session:
            key = project_key(session, project)
            there, failed = _asked_before(session, key)
            for path, item in items:
                asked = clean(item.source), clean(item.task), clean(item.question)
                if asked in there:
                    known += 1
                    continue
                if earlier := failed.pop(asked, None):
                    row = session.get_one(schema.ProjectImport, earlier)
                    replaced.append(row.path)
                    session.delete(row)
                added += 1
                there.add(asked)
                names = dict(zip(("source", "task", "question"), asked, strict=True))
                gold = (item.gold or Gold()).columns()
                session.add(schema.ProjectImport(project_id=key, path=clean(path), **names, **gold))
            _go_on(session)
        uploads.remove_unneeded(self.database, replaced)
        return Added(added, known)

    def next(self, project: str | None = None) -> WaitingItem | None:
        """The clip that has waited longest, of one project or of any; None when none waits, or all of it was
        stopped."""
        wanted = _listed().where(*_due()).limit(1)
        if project is not None:
            wanted = wanted.where(schema.Project.name == project)
        with self.database.read() as session:
            return next((_item(row) for row in session.execute(wanted)), None)

    def file(self, item: WaitingItem) -> Path | None:
        """The clip's file on this machine, or a copy of it there, not to be changed; None where there is
        none any longer."""
        return uploads.local_file(self.database.files, item.path)

    def begin(self, item: WaitingItem) -> int:
        """A process is about to ask about the clip; returns how often one has begun to and was gone before it
        ended."""
        with self.database.write() as session:
            row = session.get(schema.ProjectImport, item.key)
            if row is None:  # discarded meanwhile
                return 0
            row.attempts += 1
            return row.attempts - 1

    def end(self, item: WaitingItem) -> None:
        """The process that began is still there, whatever came of it."""
        with self.database.write() as session:
            imports = schema.ProjectImport
            session.execute(update(imports).where(imports.id == item.key).values(attempts=0))

    def answered(self, item: WaitingItem, answer_id: str) -> None:
        """The clip was asked about: its answer becomes an item, and what was uploaded is deleted. Raises
        NotFoundError."""
        with self.database.write() as session:
            answer = answer_key(session, answer_id)
            row = session.get(schema.ProjectImport, item.key)
            if row is None:
                raise NotFoundError("This clip was taken out of the import meanwhile.")
            insert_missing(
                session,
                schema.ProjectItem,
                project_id=row.project_id,
                answer_id=answer,
                source=row.source,
                **(Gold.in_row(row) or Gold()).columns(),
            )
            session.delete(row)
        uploads.remove_unneeded(self.database, [item.path])

    def failed(self, item: WaitingItem, error: str) -> None:
        """The clip cannot be asked about, for the reason that the sentence gives."""
        with self.database.write() as session:
            if row := session.get(schema.ProjectImport, item.key):
                row.error = clean(error)

    def failures(self, project: str, limit: int = LISTED) -> list[WaitingItem]:
        with self.database.read() as session:
            key = project_key(session, project)
            imports = schema.ProjectImport
            wanted = _listed().where(imports.project_id == key, imports.error.is_not(None)).limit(limit)
            return [_item(row) for row in session.execute(wanted)]

    def retry(self, project: str) -> None:
        """Have those that failed asked about again, and what was stopped in any project."""
        with self.database.write() as session:
            imports = schema.ProjectImport
            session.execute(
                update(imports)
                .where(imports.project_id == project_key(session, project))
                .values(error=None, attempts=0)
            )
            _go_on(session)

    def stop(self) -> None:
        """Have no clip asked about that waits now, by any process, also after a restart."""
        with self.database.write() as session:
            session.execute(update(schema.ProjectImport).where(*_due()).values(stopped=True))

    def discard(self, project: str) -> None:
        """Ask about none of those that wait or failed, and delete what of them was uploaded."""
        with self.database.write() as session:
            imports = schema.ProjectImport
            gone = delete(imports).where(imports.project_id == project_key(session, project))
            paths = session.scalars(gone.returning(imports.path)).all()
        uploads.remove_unneeded(self.database, paths)

    def clean(self) -> None:
        """Delete what was uploaded and never added, because a process died meanwhile."""
        uploads.remove_abandoned(self.database)

    def waiting(self) -> int:
        """How many wait, of all projects, stopped ones included."""
        with self.database.read() as session:
            imports = schema.ProjectImport
            return session.scalar(select(func.count()).where(imports.error.is_(None))) or 0

    def due(self) -> bool:
        """Whether any waits that nobody stopped."""
        with self.database.read() as session:
            return session.scalar(select(schema.ProjectImport.id).where(*_due()).limit(1)) is not None


def _due() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return schema.ProjectImport.error.is_(None), ~schema.ProjectImport.stopped


def _go_on(session: Session) -> None:
    imports = schema.ProjectImport
    session.execute(update(imports).where(imports.stopped).values(stopped=False))


def _asked_before(session: Session, project: int) -> tuple[set[Asked], dict[Asked, int]]:
    """What is an item or waits, and, with their keys, those that failed: source, task and question."""
    imports, items, answer = schema.ProjectImport, schema.ProjectItem, schema.Answer
    there = {
        (source, task, question)
        for source, task, question in session.execute(
            select(items.source, answer.task, answer.question)
            .join(answer, answer.id == items.answer_id)
            .where(items.project_id == project)
        )
    }
    failed: dict[Asked, int] = {}
    rows = select(imports.id, imports.source, imports.task, imports.question, imports.error)
    for key, source, task, question, error in session.execute(rows.where(imports.project_id == project)):
        if error is None:
            there.add((source, task, question))
        else:
            failed[source, task, question] = key
    return there, failed


def _listed() -> Select[schema.ProjectImport, str]:
    imports, project = schema.ProjectImport, schema.Project
    return select(imports, project.name).join(project, project.id == imports.project_id).order_by(imports.id)


def _item(row: Row[schema.ProjectImport, str]) -> WaitingItem:
    one, project = row
    return WaitingItem(one.id, project, one.path, one.source, one.task, one.question, one.error)
