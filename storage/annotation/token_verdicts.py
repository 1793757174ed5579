"""Whether single audio tokens, heard alone, mattered to an answer: what SACLM's flags are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import annotator_key, answer_key, dialect_insert
from storage.errors import RatingError

Verdict = Literal["mattered", "did_not", "unclear"]


@dataclass(frozen=True)
class TokenVerdicts:
    """Every method may raise StorageError."""

    database: Database

    def judge(self, answer_id: str, annotator: str, verdicts: Mapping[int, Verdict | None]) -> None:
        """Give, change or, with None, take back the person's verdicts on tokens of an answer, by index.

        Significance, flag and times are kept with each as the answer's own trace has them.
        Raises RatingError (no such token or verdict: nothing is saved), NotFoundError.
        """
        for verdict in verdicts.values():
            if verdict is not None and verdict not in get_args(Verdict):
                raise RatingError(f"A token {', '.join(get_args(Verdict)).replace('_', ' ')}.")
        with self.database.write() as session:
            answer, person = answer_key(session, answer_id), annotator_key(session, annotator)
            tokens = session.get_one(schema.Answer, answer).trace.get("tokens", [])
            for index, verdict in verdicts.items():
                if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(tokens):
                    raise RatingError(f"The answer has {len(tokens)} audio tokens, and none is {index!r}.")
                _save(session, answer, person, index, verdict, tokens[index])

    def of(self, answer_id: str, annotator: str) -> dict[int, Verdict]:
        """The person's verdicts on an answer's tokens, by index. Raises NotFoundError."""
        tokens, people = schema.TokenVerdict, schema.Annotator
        with self.database.read() as session:
            rows = session.execute(
                select(tokens.token, tokens.verdict)
                .join(people, people.id == tokens.annotator_id)
                .where(tokens.answer_id == answer_key(session, answer_id), people.public_id == annotator)
                .order_by(tokens.token)
            )
            return {token: cast(Verdict, verdict) for token, verdict in rows}


def _save(
    session: Session, answer: Any, person: int, index: int, verdict: Verdict | None, token: Mapping[str, Any]
) -> None:
    table = schema.TokenVerdict
    key = {"answer_id": answer, "annotator_id": person, "token": index}
    if verdict is None:
        session.execute(delete(table).filter_by(**key))
        return
    try:
        values = {
            "verdict": verdict,
            "flagged": bool(token["redundant"]),
            "significance": float(token["significance"]),
            "start_s": float(token["start"]),
            "end_s": float(token["end"]),
            "updated_at": schema.now(),
        }
    except (KeyError, TypeError, ValueError) as error:  # an older or foreign trace
        raise RatingError("This answer's trace does not say how its tokens were scored.") from error
    # One statement, so that two saves of the same token at once do not both insert.
    insert = dialect_insert(session)(table).values(**key, **values)
    session.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))
