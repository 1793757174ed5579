"""Full-text search in questions, answers and ratings: FTS5 on SQLite, text vectors on PostgreSQL."""

import re
from typing import Any

from sqlalchemy import ColumnElement, Select, column, false, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from storage.database.schema import Answer, Base, Rating

MOST_HITS = 2_000
"""Answers, and ratings, that a search goes on with: the latest."""
MOST_WORDS = 8

# Literals: with bound values PostgreSQL would not know its index's expression again.
_SIMPLE: ColumnElement[str] = literal_column("'simple'")
_SPACE: ColumnElement[str] = literal_column("' '")
_NOTHING: ColumnElement[str] = literal_column("''")


def words_of(query: str) -> list[str]:
    """What is looked for: whole words, in any case; with a star, such as `bark*`, words that begin so."""
    return re.findall(r"[^\W_]+\*?", query)[:MOST_WORDS]


def answers_with(session: Session, words: list[str]) -> Select[Any]:
    """Ids of answers with all the words in question and answer, or in one person's correction and comment."""
    if session.get_bind().dialect.name == "postgresql":
        query = " & ".join(word.replace("*", ":*") for word in words)
        answers = _vector_holds(query, Answer.question, Answer.text)
        ratings = _vector_holds(query, Rating.correction, Rating.comment)
    else:
        query = " ".join(f'"{word.rstrip("*")}"{"*" if word.endswith("*") else ""}' for word in words)
        answers, ratings = _fts_holds(query, Answer), _fts_holds(query, Rating)
    answered = select(Answer.id.label("id")).where(answers).limit(MOST_HITS)
    rated = select(Rating.answer_id.label("id")).where(ratings, Rating.withdrawn == false()).limit(MOST_HITS)
    return select(answered.subquery().c.id).union(select(rated.subquery().c.id))  # type: ignore[return-value]


def erase_deleted(session: Session) -> None:
    """Take the words of deleted rows out of SQLite's index for good; until then it only skips them."""
    if session.get_bind().dialect.name == "sqlite":
        for name in ("answers_words", "ratings_words"):
            session.execute(text(f"INSERT INTO {name} ({name}) VALUES ('optimize')"))


def _fts_holds(query: str, of: type[Base]) -> ColumnElement[bool]:
    name = f"{of.__tablename__}_words"
    rowid: Any = column("rowid")
    hits = (
        select(rowid)
        .select_from(table(name, rowid))
        .where(literal_column(name).op("MATCH")(query))
        .order_by(rowid.desc())
        .limit(MOST_HITS)
    )
    return literal_column(f"{of.__tablename__}.rowid").in_(hits)


def _vector_holds(query: str, *columns: Any) -> ColumnElement[bool]:
    first, second = (func.coalesce(column, _NOTHING) for column in columns)
    vector = func.to_tsvector(_SIMPLE, first.concat(_SPACE).concat(second))
    return vector.op("@@")(func.to_tsquery(_SIMPLE, query))
