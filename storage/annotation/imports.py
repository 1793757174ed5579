"""Clips that are to become items of a project: whoever has the model asks about one after another."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Row, Select, delete, func, select, update
from sqlalchemy.orm import Session

from storage.annotation.gold import Gold
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
    """A clip that is yet to be asked about, or, with `error`, that could not be."""

    key: int
    project: str
    path: Path
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
        """Have clips asked about, all or none of them. A name with the same question and task is not asked
        about again, unless it had failed."""
        added = known = 0
        with self.database.write() as session:
            key = project_key(session, project)
            there, failed = _asked_before(session, key)
            for item in items:
                asked = clean(item.source), clean(item.task), clean(item.question)
                if asked in there:
                    known += 1
                    continue
                if earlier := failed.pop(asked, None):
                    session.delete(session.get_one(schema.ProjectImport, earlier))
                added += 1
                there.add(asked)
                names = dict(zip(("source", "task", "question"), asked, strict=True))
                gold = (item.gold or Gold()).columns()
                session.add(schema.ProjectImport(project_id=key, path=clean(str(item.path)), **names, **gold))
        return Added(added, known)

    def next(self, project: str | None = None, without: Collection[int] = ()) -> WaitingItem | None:
        """The clip that has waited longest, of one project or of any; None when none waits.

        without: keys of those that are left out.
        """
        waiting = schema.ProjectImport.error.is_(None), schema.ProjectImport.id.not_in(without)
        wanted = _listed().where(*waiting).limit(1)
        if project is not None:
            wanted = wanted.where(schema.Project.name == project)
        with self.database.read() as session:
            return next((_item(row) for row in session.execute(wanted)), None)

    def answered(self, item: WaitingItem, answer_id: str) -> None:
        """The clip was asked about: its answer becomes an item. Raises NotFoundError."""
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
        """Have those that failed asked about again."""
        with self.database.write() as session:
            imports = schema.ProjectImport
            session.execute(
                update(imports).where(imports.project_id == project_key(session, project)).values(error=None)
            )

    def discard(self, project: str) -> list[Path]:
        """Ask about none of those that wait or failed; returns their files."""
        with self.database.write() as session:
            imports = schema.ProjectImport
            gone = delete(imports).where(imports.project_id == project_key(session, project))
            return [Path(path) for path in session.scalars(gone.returning(imports.path))]

    def waiting(self) -> int:
        """How many wait, of all projects."""
        with self.database.read() as session:
            imports = schema.ProjectImport
            return session.scalar(select(func.count()).where(imports.error.is_(None))) or 0

    def paths(self) -> set[Path]:
        """The files of all that wait or failed."""
        with self.database.read() as session:
            return {Path(path) for path in session.scalars(select(schema.ProjectImport.path))}


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
    return WaitingItem(one.id, project, Path(one.path), one.source, one.task, one.question, one.error)
