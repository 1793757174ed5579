"""Projects: what a team rates together, who may, how far they are, and how they do on known answers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, false, func, or_, select
from sqlalchemy.orm import Session

from storage.annotation.gold import Gold, GoldScore
from storage.answers import uploads
from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key, answer_key, insert_missing
from storage.database.membership import has_gold, project_key
from storage.database.text import clean
from storage.errors import NotFoundError, ProjectError

MAX_GUIDELINES = 20_000  # characters
MAX_WANTED = 100
MAX_NAME = 64
LISTED = 50


@dataclass(frozen=True)
class Project:
    """members: names of the people it is assigned to, where it is not open to all."""

    key: int
    name: str
    guidelines: str
    wanted: int
    closed: bool
    open_to_all: bool
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """items: those to judge, without the gold ones. done: of these, as many as have all wanted judgements.
    judgements: how many of the wanted ones there are, and `judgements_wanted` in all. waiting, failed: clips
    that are yet to be asked about, and those that could not be."""

    items: int
    done: int
    gold: int
    judgements: int
    judgements_wanted: int
    waiting: int
    failed: int


@dataclass(frozen=True)
class PersonProgress:
    """annotator: the number that exports name the person by. public_id: for the app alone, which may know
    the account it belongs to; never to be shown. latest: when they last judged an item."""

    annotator: int
    public_id: str = field(repr=False)
    name: str
    judged: int
    skipped: int
    gold: GoldScore
    latest: datetime | None


@dataclass(frozen=True)
class Item:
    """An item in a list for whoever runs the project."""

    answer_id: str
    source: str
    question: str
    text: str
    gold: Gold | None
    judged: int


@dataclass(frozen=True)
class Projects:
    """For whoever runs them, but `open_to`. Projects go by their names. Every method may raise StorageError;
    those that take a name NotFoundError."""

    database: Database

    def make(
        self,
        name: str,
        guidelines: str = "",
        wanted: int = 1,
        members: Mapping[str, str] | None = None,
    ) -> Project:
        """A new project. members: ids of annotators and the names the team knows them by; None for all.

        Raises ProjectError when it cannot be named so, is not new, or wants what cannot be.
        """
        values = _checked(name, guidelines, wanted)
        with self.database.write() as session:
            if session.scalar(select(schema.Project.id).filter_by(name=values["name"])) is not None:
                raise ProjectError("There is a project of that name already.")
            row = schema.Project(**values, closed=False, open_to_all=members is None)
            session.add(row)
            session.flush()
            _assign(session, row.id, members)
            return _project(session, row)

    def change(self, name: str, guidelines: str, wanted: int, members: Mapping[str, str] | None) -> Project:
        """What is passed is the whole description from now on. Raises ProjectError."""
        values = _checked(name, guidelines, wanted)
        with self.database.write() as session:
            row = _row(session, name)
            row.guidelines, row.wanted = values["guidelines"], values["wanted"]
            row.open_to_all = members is None
            _assign(session, row.id, members)
            return _project(session, row)

    def close(self, name: str, closed: bool = True) -> None:
        """Offer its items to nobody from now on; with `closed` false, again."""
        with self.database.write() as session:
            _row(session, name).closed = closed

    def delete(self, name: str) -> int:
        """Delete a closed project: its guidelines, members, known answers and the clips that wait. Its items'
        answers and their ratings stay; how many answers these are. Raises ProjectError while it is open."""
        with self.database.write() as session:
            project = _row(session, name)
            if not project.closed:
                raise ProjectError("Close the project first: people may be at work in it.")
            items, imports = schema.ProjectItem, schema.ProjectImport
            stay = (
                session.scalar(select(func.count()).select_from(items).filter_by(project_id=project.id)) or 0
            )
            waiting = session.scalars(select(imports.path).filter_by(project_id=project.id)).all()
            session.execute(delete(schema.Project).filter_by(id=project.id))
        uploads.remove_unneeded(self.database, waiting)
        return stay

    def all(self) -> list[Project]:
        """The open ones first, each newest first."""
        with self.database.read() as session:
            order = schema.Project.closed, schema.Project.created_at.desc(), schema.Project.id.desc()
            return [
                _project(session, row) for row in session.scalars(select(schema.Project).order_by(*order))
            ]

    def get(self, name: str) -> Project:
        with self.database.read() as session:
            return _project(session, _row(session, name))

    def members(self, name: str) -> dict[str, str] | None:
        """As `change` takes them."""
        with self.database.read() as session:
            row = _row(session, name)
            rows = session.execute(
                select(schema.Annotator.public_id, schema.ProjectMember.name)
                .join(schema.ProjectMember, schema.ProjectMember.annotator_id == schema.Annotator.id)
                .where(schema.ProjectMember.project_id == row.id)
            )
            return None if row.open_to_all else {public_id: known_as for public_id, known_as in rows}

    def open_to(self, annotator: str) -> list[Project]:
        """The projects that a person may judge in, without their members; those assigned to them first."""
        mine = _assigned(annotator)
        wanted = (
            select(schema.Project)
            .where(schema.Project.closed == false(), or_(schema.Project.open_to_all, mine))
            .order_by(mine.desc(), schema.Project.created_at.desc(), schema.Project.id.desc())
        )
        with self.database.read() as session:
            return [replace(_project(session, row), members=()) for row in session.scalars(wanted)]

    def add(self, name: str, answer_id: str, source: str = "", gold: Gold | None = None) -> None:
        """Make a stored answer an item; does nothing where it is one. Raises NotFoundError."""
        with self.database.write() as session:
            key, answer = project_key(session, name), answer_key(session, answer_id)
            known = gold.columns() if gold else {}
            insert_missing(
                session, schema.ProjectItem, project_id=key, answer_id=answer, source=clean(source), **known
            )

    def set_gold(self, name: str, answer_id: str, gold: Gold | None) -> None:
        """What is known about an item; None: nothing, and it is one to judge like others.

        Raises NotFoundError (no such item).
        """
        with self.database.write() as session:
            key = (project_key(session, name), answer_key(session, answer_id))
            item = session.get(schema.ProjectItem, key)
            if item is None:
                raise NotFoundError("This answer is no item of the project.")
            for column, value in (gold or Gold()).columns().items():
                setattr(item, column, value)

    def items(self, name: str, words: str = "", *, gold: bool = False, limit: int = LISTED) -> list[Item]:
        """Items in the order in which they came. words: what is looked for in source, question and answer;
        gold: only those that are."""
        item, answer, rating = schema.ProjectItem, schema.Answer, schema.Rating
        judged = (
            select(func.count())
            .where(rating.answer_id == item.answer_id, rating.withdrawn == false())
            .scalar_subquery()
        )
        with self.database.read() as session:
            wanted = (
                select(
                    item.answer_id, item.source, answer.question, answer.prompt, answer.text, item.gold_thumb,
                    item.gold_score, item.gold_text, judged.label("judged"),
                )
                .join(answer, answer.id == item.answer_id)
                .where(item.project_id == project_key(session, name))
                .order_by(item.created_at, item.answer_id)
                .limit(limit)
            )  # fmt: skip
            if gold:
                wanted = wanted.where(has_gold(item))
            for word in clean(words).split():
                columns = (item.source, answer.question, answer.text)
                wanted = wanted.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
            return [
                Item(
                    str(row.answer_id),
                    row.source,
                    row.question or row.prompt,
                    row.text,
                    Gold.in_row(row),
                    row.judged,
                )
                for row in session.execute(wanted)
            ]

    def progress(self, name: str) -> Progress:
        item, imports = schema.ProjectItem, schema.ProjectImport
        with self.database.read() as session:
            project = _row(session, name)
            counts = (
                select(func.count(schema.Rating.id).label("judged"))
                .select_from(item)
                .outerjoin(
                    schema.Rating,
                    (schema.Rating.answer_id == item.answer_id) & (schema.Rating.withdrawn == false()),
                )
                .where(item.project_id == project.id, ~has_gold(item))
                .group_by(item.answer_id)
            )
            judged = session.scalars(counts).all()

            def count(table: Any, *conditions: ColumnElement[bool]) -> int:
                counted = select(func.count()).select_from(table)
                return session.scalar(counted.where(table.project_id == project.id, *conditions)) or 0

            return Progress(
                items=len(judged),
                done=sum(number >= project.wanted for number in judged),
                gold=count(item, has_gold(item)),
                judgements=sum(min(number, project.wanted) for number in judged),
                judgements_wanted=len(judged) * project.wanted,
                waiting=count(imports, imports.error.is_(None)),
                failed=count(imports, imports.error.is_not(None)),
            )

    def people(self, name: str) -> list[PersonProgress]:
        """Everyone who was assigned or judged something, in the order of their numbers."""
        with self.database.read() as session:
            key = project_key(session, name)
            found: dict[int, dict[str, Any]] = {}

            def of(person: int) -> dict[str, Any]:
                return found.setdefault(
                    person, {"judged": 0, "skipped": 0, "latest": None, "right": 0, "known": 0, "name": ""}
                )

            for member in session.scalars(select(schema.ProjectMember).filter_by(project_id=key)):
                of(member.annotator_id)["name"] = member.name
            for row in session.execute(_ratings_in(key)):
                person = of(row.annotator_id)
                person["judged"] += 1
                person["latest"] = max(filter(None, (person["latest"], row.updated_at)))
                gold = Gold.in_row(row)
                agrees = gold.agrees(row.thumb, row.score, row.correction) if gold else None
                person["known"] += agrees is not None
                person["right"] += bool(agrees)
            for annotator, skipped in session.execute(_skips_in(key)):
                of(annotator)["skipped"] = skipped
            rows = session.execute(
                select(schema.Annotator.id, schema.Annotator.public_id)
                .where(schema.Annotator.id.in_(found))
                .order_by(schema.Annotator.id)
            )
            return [
                PersonProgress(
                    annotator=id_,
                    public_id=public_id,
                    name=found[id_]["name"],
                    judged=found[id_]["judged"],
                    skipped=found[id_]["skipped"],
                    gold=GoldScore(found[id_]["right"], found[id_]["known"]),
                    latest=found[id_]["latest"],
                )
                for id_, public_id in rows
            ]


def checked_project_name(name: str) -> str:
    """Raises ProjectError unless it can name a project: in a command, a link and a list."""
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-](?:[\w. -]{0,62}[\w.-])?", name):
        raise ProjectError(f"A project's name is 1 to {MAX_NAME} letters, digits, spaces, dots or hyphens.")
    return name


def _checked(name: str, guidelines: str, wanted: int) -> dict[str, Any]:
    if not isinstance(guidelines, str) or len(guidelines) > MAX_GUIDELINES:
        raise ProjectError(f"Guidelines have at most {MAX_GUIDELINES:,} characters.")
    if isinstance(wanted, bool) or wanted not in range(1, MAX_WANTED + 1):
        raise ProjectError(f"From 1 to {MAX_WANTED} judgements can be wanted of each item.")
    return {
        "name": checked_project_name(name.strip() if isinstance(name, str) else name),
        "guidelines": clean(guidelines).strip(),
        "wanted": int(wanted),
    }


def _assign(session: Session, project: int, members: Mapping[str, str] | None) -> None:
    """Make these the members, and nobody else."""
    session.execute(delete(schema.ProjectMember).filter_by(project_id=project))
    for annotator, name in (members or {}).items():
        person = annotator_key(session, annotator)
        session.add(
            schema.ProjectMember(project_id=project, annotator_id=person, name=clean(name).strip()[:200])
        )


def _assigned(annotator: str) -> ColumnElement[bool]:
    member = schema.ProjectMember
    return exists().where(
        member.project_id == schema.Project.id,
        member.annotator_id == schema.Annotator.id,
        schema.Annotator.public_id == annotator,
    )


def _ratings_in(project: int) -> Any:
    item, rating = schema.ProjectItem, schema.Rating
    return (
        select(
            rating.annotator_id, rating.updated_at, rating.thumb, rating.score, rating.correction,
            item.gold_thumb, item.gold_score, item.gold_text,
        )
        .join(item, item.answer_id == rating.answer_id)
        .where(item.project_id == project, rating.withdrawn == false())
        .execution_options(yield_per=1000)
    )  # fmt: skip


def _skips_in(project: int) -> Any:
    mark, item = schema.QueueMark, schema.ProjectItem
    return (
        select(mark.annotator_id, func.count())
        .join(item, item.answer_id == mark.answer_id)
        .where(item.project_id == project, mark.state == "skipped")
        .group_by(mark.annotator_id)
    )


def _row(session: Session, name: str) -> schema.Project:
    return session.get_one(schema.Project, project_key(session, name))


def _project(session: Session, row: schema.Project) -> Project:
    members: Collection[str] = session.scalars(
        select(schema.ProjectMember.name).filter_by(project_id=row.id).order_by(schema.ProjectMember.name)
    ).all()
    return Project(row.id, row.name, row.guidelines, row.wanted, row.closed, row.open_to_all, tuple(members))
