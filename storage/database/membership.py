"""Which answers are items of a project, as conditions of queries."""

from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from storage.database.schema import Project, ProjectItem
from storage.errors import NotFoundError


def project_key(session: Session, name: str) -> int:
    """Raises NotFoundError unless there is a project of that name."""
    key: int | None = session.scalar(select(Project.id).filter_by(name=name))
    if key is None:
        raise NotFoundError("There is no project of that name.")
    return key


def item_of(project: int | None, answer: Any) -> ColumnElement[bool]:
    """That the answer with this id is an item of the project; for None, of no project at all."""
    item = exists().where(ProjectItem.answer_id == answer)
    return ~item if project is None else item.where(ProjectItem.project_id == project)


def has_gold(table: Any) -> ColumnElement[bool]:
    """That a known judgement stands in a row of `table`, items or imports."""
    return or_(table.gold_thumb.is_not(None), table.gold_score.is_not(None), table.gold_text.is_not(None))
