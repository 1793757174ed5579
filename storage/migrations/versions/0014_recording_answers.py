"""Answers about whole recordings, and every state of their owner's ratings of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "recording_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("way", sa.String(16), nullable=False),
        sa.Column("finish", sa.String(16), nullable=False),
        sa.Column("preset", sa.String(64), nullable=False),
        sa.Column("model_fingerprint", sa.String(128), nullable=False),
        sa.Column("quantization", sa.String(32), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("temperature", sa.Double(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("leans_on", _JSON, nullable=False),
        sa.Column("model", _JSON, nullable=False),
        sa.Column("details", _JSON, nullable=False),
        sa.CheckConstraint("temperature >= 0", name=op.f("ck_recording_answers_temperature")),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            ondelete="CASCADE",
            name=op.f("fk_recording_answers_recording_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_answers")),
    )
    op.create_index(
        op.f("ix_recording_answers_recording_id_created_at"),
        "recording_answers",
        ["recording_id", "created_at"],
    )
    op.create_table(
        "recording_ratings",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("thumb", sa.Integer(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("dimensions", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("flags", _JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.CheckConstraint("thumb IN (-1, 0, 1)", name=op.f("ck_recording_ratings_thumb")),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_recording_ratings_score")),
        sa.ForeignKeyConstraint(
            ["answer_id"],
            ["recording_answers.id"],
            ondelete="CASCADE",
            name=op.f("fk_recording_ratings_answer_id"),
        ),
        sa.PrimaryKeyConstraint("answer_id", "number", name=op.f("pk_recording_ratings")),
    )


def downgrade() -> None:
    for table in ("recording_ratings", "recording_answers"):
        op.drop_table(table)
