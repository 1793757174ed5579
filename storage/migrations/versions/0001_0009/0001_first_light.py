"""Clips, annotators, answers, ratings with revisions, comparisons."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "clips",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("audio_path", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_clips"),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_clips_sha256")),
        sa.CheckConstraint("seconds > 0", name=op.f("ck_clips_seconds")),
    )
    op.create_table(
        "annotators",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_annotators"),
        sa.UniqueConstraint("public_id", name="uq_annotators_public_id"),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clip_sha256", sa.String(64), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("input_hash", sa.String(64), nullable=False),
        sa.Column("audio_kept", sa.Boolean(), nullable=False),
        sa.Column("heard_start", sa.Double(), nullable=False),
        sa.Column("heard_end", sa.Double(), nullable=False),
        sa.Column("clip_duration", sa.Double(), nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("preset", sa.String(64), nullable=False),
        sa.Column("model_fingerprint", sa.String(128), nullable=False),
        sa.Column("quantization", sa.String(32), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("temperature", sa.Double(), nullable=False),
        sa.Column("max_new_tokens", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("history", JSON, nullable=False),
        sa.Column("model", JSON, nullable=False),
        sa.Column("timings", JSON, nullable=False),
        sa.Column("trace", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
        sa.CheckConstraint("heard_start >= 0 AND heard_end > heard_start", name=op.f("ck_answers_heard")),
        sa.CheckConstraint("temperature >= 0", name=op.f("ck_answers_temperature")),
        sa.CheckConstraint("max_new_tokens >= 0", name=op.f("ck_answers_max_new_tokens")),
        sa.ForeignKeyConstraint(
            ["clip_sha256"], ["clips.sha256"], name="fk_answers_clip_sha256", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["annotator_id"], ["annotators.id"], name="fk_answers_annotator_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["answers.id"], name="fk_answers_parent_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_answers_annotator_id_created_at_id", "answers", ["annotator_id", "created_at", "id"])
    op.create_index("ix_answers_clip_sha256", "answers", ["clip_sha256"])
    op.create_index("ix_answers_created_at", "answers", ["created_at"])
    op.create_index("ix_answers_input_hash", "answers", ["input_hash"])
    op.create_index("ix_answers_parent_id", "answers", ["parent_id"])
    op.create_table(
        "ratings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("thumb", sa.Integer(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ratings"),
        sa.CheckConstraint("thumb IN (-1, 0, 1)", name=op.f("ck_ratings_thumb")),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_ratings_score")),
        sa.UniqueConstraint("answer_id", "annotator_id", name="uq_ratings_answer_id_annotator_id"),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name="fk_ratings_answer_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["annotator_id"], ["annotators.id"], name="fk_ratings_annotator_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_ratings_annotator_id", "ratings", ["annotator_id"])
    op.create_index("ix_ratings_updated_at", "ratings", ["updated_at"])
    op.create_table(
        "rating_revisions",
        sa.Column("rating_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("thumb", sa.Integer(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("rating_id", "number", name="pk_rating_revisions"),
        sa.CheckConstraint("thumb IN (-1, 0, 1)", name=op.f("ck_rating_revisions_thumb")),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_rating_revisions_score")),
        sa.ForeignKeyConstraint(
            ["rating_id"], ["ratings.id"], name="fk_rating_revisions_rating_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("answer_a_id", sa.Uuid(), nullable=False),
        sa.Column("answer_b_id", sa.Uuid(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("winner", sa.String(8), nullable=False),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comparisons"),
        sa.CheckConstraint("answer_a_id < answer_b_id", name=op.f("ck_comparisons_pair")),
        sa.CheckConstraint("winner IN ('a', 'b', 'tie', 'both_bad')", name=op.f("ck_comparisons_winner")),
        sa.UniqueConstraint(
            "answer_a_id",
            "answer_b_id",
            "annotator_id",
            name="uq_comparisons_answer_a_id_answer_b_id_annotator_id",
        ),
        sa.ForeignKeyConstraint(
            ["answer_a_id"], ["answers.id"], name="fk_comparisons_answer_a_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["answer_b_id"], ["answers.id"], name="fk_comparisons_answer_b_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["annotator_id"], ["annotators.id"], name="fk_comparisons_annotator_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_comparisons_answer_b_id", "comparisons", ["answer_b_id"])
    op.create_index("ix_comparisons_annotator_id", "comparisons", ["annotator_id"])


def downgrade() -> None:
    for table in ("comparisons", "rating_revisions", "ratings", "answers", "annotators", "clips"):
        op.drop_table(table)
