"""Pairs of answers, of an old and a new checkpoint, that people compare without knowing which is which."""

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.analysis.win_rate import WinRate
from storage.annotation import leases
from storage.database import schema
from storage.database.connection import Database
from storage.database.keys import answer_key

MOST_SOURCES = 5000
"""Kept answers, the latest, that are looked at."""


@dataclass(frozen=True)
class BlindPair:
    """Ids of answers to one input: `source`, with the kept audio, and those of both checkpoints."""

    source: str
    old: str
    new: str

    @property
    def answers(self) -> frozenset[UUID]:
        return frozenset((UUID(self.old), UUID(self.new)))


@dataclass(frozen=True)
class BlindPairs:
    """Every method may raise StorageError. A vote is `ComparisonStore.compare`."""

    database: Database

    def sources(self) -> list[tuple[str, str]]:
        """Ids of answers whose audio is kept, one for each input, the latest first, with their clips'
        hashes."""
        answers, clips = schema.Answer, schema.Clip
        wanted = (
            select(answers.id, answers.clip_sha256, answers.input_hash)
            .join(clips, clips.sha256 == answers.clip_sha256)
            .where(schema.WITH_WORDS, answers.audio_kept, clips.audio_path.is_not(None))
            .order_by(answers.created_at.desc())
            .limit(MOST_SOURCES)
        )
        with self.database.read() as session:
            inputs = {asked: (str(id_), clip) for id_, clip, asked in reversed(session.execute(wanted).all())}
        return list(reversed(inputs.values()))

    def texts(self, answer_id: str) -> set[str]:
        """What was answered so far to the input of this answer. Raises NotFoundError."""
        answers = schema.Answer
        with self.database.read() as session:
            key = answer_key(session, answer_id)
            asked = select(answers.input_hash).where(answers.id == key).scalar_subquery()
            return {
                text.strip() for text in session.scalars(select(answers.text).filter_by(input_hash=asked))
            }

    def upcoming(
        self,
        pairs: Sequence[BlindPair],
        annotator: str,
        without: Collection[BlindPair] = (),
        page: str | None = None,
    ) -> BlindPair | None:
        """A pair that the person has not voted on, of those with the fewest votes; None where there is none
        that nobody else, and no other page of the person's, has on display.

        without: pairs that the person passed over.  page: where the pair is on display from now on; None:
        nowhere.
        """
        newer = schema.Answer.id
        with self.database.read() if page is None else self.database.write() as session:
            if page is not None:
                leases.begin(session, annotator, page, "comparison")
            person = session.scalar(select(schema.Annotator.id).filter_by(public_id=annotator))
            ids = {id_ for pair in pairs for id_ in (*pair.answers, UUID(pair.source))}
            stored = set(session.scalars(select(schema.Answer.id).where(schema.Answer.id.in_(ids))))
            counts: Counter[BlindPair] = Counter()
            mine = set(without)
            for pair, vote in _votes(session, pairs):
                counts[pair] += 1
                if vote.annotator_id == person:
                    mine.add(pair)
            held = or_(
                leases.held_by_others(annotator, newer, "comparison") > 0,
                leases.held_elsewhere(annotator, page, newer, "comparison"),
            )
            elsewhere = set(session.scalars(select(newer).where(newer.in_(ids), held)))
            left = [
                pair
                for pair in pairs
                if pair not in mine
                and {*pair.answers, UUID(pair.source)} <= stored
                and UUID(pair.new) not in elsewhere
            ]
            fewest = min((counts[pair] for pair in left), default=0)
            chosen = random.choice([pair for pair in left if counts[pair] == fewest]) if left else None
            if chosen and page is not None:
                leases.take(session, [UUID(chosen.new)], annotator, page, "comparison")
        return chosen

    def win_rate(self, pairs: Sequence[BlindPair]) -> WinRate:
        """How often the new answer is preferred."""
        with self.database.read() as session:
            found, people = Counter[str](), set()
            for pair, vote in _votes(session, pairs):
                people.add(vote.annotator_id)
                preferred = {"a": vote.answer_a_id, "b": vote.answer_b_id}.get(vote.winner)
                found[
                    "ties" if preferred is None else "wins" if preferred == UUID(pair.new) else "losses"
                ] += 1
        return WinRate(**found, people=len(people))


def _votes(session: Session, pairs: Sequence[BlindPair]) -> Iterator[tuple[BlindPair, Any]]:
    """Each vote on one of the pairs."""
    votes, of = schema.Comparison, {pair.answers: pair for pair in pairs}
    ids = {id_ for answers in of for id_ in answers}
    for vote in session.scalars(select(votes).where(votes.answer_a_id.in_(ids), votes.answer_b_id.in_(ids))):
        if pair := of.get(frozenset((vote.answer_a_id, vote.answer_b_id))):
            yield pair, vote
