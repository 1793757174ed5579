"""What the methods of the rating stores return."""

from dataclasses import dataclass
from datetime import datetime

from storage.database.schema import RatingRevision, RecordingRating


@dataclass(frozen=True)
class Rating:
    """A person's rating of an answer as it counts now. Times are UTC."""

    id: str
    answer_id: str
    annotator: str
    thumb: int | None
    score: int | None
    dimensions: dict[str, int]
    flags: tuple[str, ...]
    correction: str | None
    comment: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Revision:
    """One state a rating has had, numbered from 1; of an undo, `restores` says which it brought back."""

    number: int
    thumb: int | None
    score: int | None
    dimensions: dict[str, int]
    flags: tuple[str, ...]
    correction: str | None
    comment: str | None
    withdrawn: bool
    restores: int | None
    created_at: datetime


def revision_of(row: RatingRevision | RecordingRating, restores: int | None = None) -> Revision:
    """A stored state of a rating."""
    return Revision(
        number=row.number,
        thumb=row.thumb,
        score=row.score,
        dimensions=row.dimensions,
        flags=tuple(row.flags),
        correction=row.correction,
        comment=row.comment,
        withdrawn=row.withdrawn,
        restores=restores,
        created_at=row.created_at,
    )
