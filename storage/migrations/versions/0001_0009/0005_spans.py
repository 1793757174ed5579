"""Marked spans with their revisions, verdicts on single tokens, repeats of ratings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "spans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        *_marking(),
        sa.PrimaryKeyConstraint("id", name="pk_spans"),
        sa.CheckConstraint("start_s >= 0 AND end_s > start_s", name=op.f("ck_spans_seconds")),
        _reference("spans", "answer_id", "answers.id"),
        _reference("spans", "annotator_id", "annotators.id"),
    )
    op.create_index("ix_spans_answer_id_annotator_id", "spans", ["answer_id", "annotator_id"])
    op.create_index("ix_spans_annotator_id", "spans", ["annotator_id"])
    op.create_table(
        "span_revisions",
        sa.Column("span_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        *_marking(),
        sa.PrimaryKeyConstraint("span_id", "number", name="pk_span_revisions"),
        sa.CheckConstraint("start_s >= 0 AND end_s > start_s", name=op.f("ck_span_revisions_seconds")),
        _reference("span_revisions", "span_id", "spans.id"),
    )
    op.create_table(
        "token_verdicts",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("significance", sa.Double(), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("answer_id", "annotator_id", "token", name="pk_token_verdicts"),
        sa.CheckConstraint(
            "verdict IN ('mattered', 'did_not', 'unclear')", name=op.f("ck_token_verdicts_verdict")
        ),
        sa.CheckConstraint("token >= 0", name=op.f("ck_token_verdicts_token")),
        _reference("token_verdicts", "answer_id", "answers.id"),
        _reference("token_verdicts", "annotator_id", "annotators.id"),
    )
    op.create_index("ix_token_verdicts_annotator_id", "token_verdicts", ["annotator_id"])
    op.create_table(
        "repeats",
        sa.Column("rating_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("thumb", sa.Integer(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("dimensions", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("flags", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.PrimaryKeyConstraint("rating_id", name="pk_repeats"),
        sa.CheckConstraint("thumb IN (-1, 0, 1)", name=op.f("ck_repeats_thumb")),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_repeats_score")),
        _reference("repeats", "rating_id", "ratings.id"),
    )


def _marking() -> list[sa.Column]:
    return [
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("label", sa.String(32), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
    ]


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="CASCADE")


def downgrade() -> None:
    for table in ("repeats", "token_verdicts", "span_revisions", "spans"):
        op.drop_table(table)
