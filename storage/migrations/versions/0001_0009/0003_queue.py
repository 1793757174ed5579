"""The annotation queue: what it is ordered by, and what people put aside.

The numbers stand in a narrow table of their own, so that ordering by them never reads a trace.
"""

import math
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BATCH = 200


def upgrade() -> None:
    op.create_table(
        "internals",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("router_entropy", sa.Double(), nullable=True),
        sa.Column("dominant_expert", sa.String(64), nullable=True),
        sa.Column("redundant_share", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("answer_id", name="pk_internals"),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name="fk_internals_answer_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_internals_router_entropy", "internals", ["router_entropy"])
    op.create_table(
        "marks",
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("draft", JSON, nullable=True),
        sa.PrimaryKeyConstraint("annotator_id", "answer_id", name="pk_marks"),
        sa.CheckConstraint("state IN ('draft', 'skipped')", name=op.f("ck_marks_state")),
        sa.ForeignKeyConstraint(
            ["annotator_id"], ["annotators.id"], name="fk_marks_annotator_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_marks_answer_id", ondelete="CASCADE"),
    )
    op.create_index("ix_marks_answer_id", "marks", ["answer_id"])
    _measure_earlier_answers()


def _measure_earlier_answers() -> None:
    answers = sa.table("answers", sa.column("id", sa.Uuid()), sa.column("trace", JSON))
    measured = sa.table(
        "internals",
        sa.column("answer_id", sa.Uuid()),
        sa.column("router_entropy", sa.Double()),
        sa.column("dominant_expert", sa.String()),
        sa.column("redundant_share", sa.Double()),
    )
    connection = op.get_bind()
    ids = connection.scalars(sa.select(answers.c.id)).all()
    for begin in range(0, len(ids), BATCH):
        some = sa.select(answers).where(answers.c.id.in_(ids[begin : begin + BATCH]))
        rows = [{"answer_id": id_, **_statistics(trace)} for id_, trace in connection.execute(some)]
        connection.execute(measured.insert(), rows)


def _statistics(trace: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `internals`, as the app computed them at this version; all None for an unknown trace."""
    unknown = {"router_entropy": None, "dominant_expert": None, "redundant_share": None}
    try:
        tokens, experts = trace["tokens"], trace["experts"]
        routing = [[float(weight) for weight in token["routing"]] for token in tokens]
        load = [math.fsum(weights) for weights in zip(*routing, strict=True)]
        entropies = [_entropy(weights) for weights in routing]
        return {
            "router_entropy": math.fsum(entropies) / len(tokens),
            "dominant_expert": str(experts[load.index(max(load))])[:64],
            "redundant_share": sum(bool(token["redundant"]) for token in tokens) / len(tokens),
        }
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return unknown


def _entropy(weights: list[float]) -> float:
    """0 to 1: in bits over the most that so many experts can have."""
    bits = -math.fsum(weight * math.log2(weight) for weight in weights if weight > 0)
    return min(max(bits / math.log2(len(weights)), 0.0), 1.0) if len(weights) > 1 else 0.0


def downgrade() -> None:
    op.drop_table("marks")
    op.drop_table("internals")
