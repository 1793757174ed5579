"""Whole recordings: what is heard in them, part after part, and every change of their segments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("model_fingerprint", sa.String(128), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("heard_s", sa.Double(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_recordings_sha256")),
        sa.CheckConstraint("heard_s >= 0 AND seconds >= 0", name=op.f("ck_recordings_seconds")),
        sa.ForeignKeyConstraint(
            ["annotator_id"],
            ["annotators.id"],
            ondelete="CASCADE",
            name=op.f("fk_recordings_annotator_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint(
            "annotator_id",
            "sha256",
            "task",
            "model_fingerprint",
            name=op.f("uq_recordings_annotator_id_sha256_task_model_fingerprint"),
        ),
    )
    op.create_index(op.f("ix_recordings_updated_at"), "recordings", ["updated_at"])
    op.create_table(
        "recording_parts",
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("segments", _JSON, nullable=False),
        sa.CheckConstraint("start_s >= 0 AND end_s >= start_s", name=op.f("ck_recording_parts_seconds")),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            ondelete="CASCADE",
            name=op.f("fk_recording_parts_recording_id"),
        ),
        sa.PrimaryKeyConstraint("recording_id", "number", name=op.f("pk_recording_parts")),
    )
    op.create_table(
        "segment_edits",
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("change", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            ondelete="CASCADE",
            name=op.f("fk_segment_edits_recording_id"),
        ),
        sa.PrimaryKeyConstraint("recording_id", "number", name=op.f("pk_segment_edits")),
    )


def downgrade() -> None:
    for table in ("segment_edits", "recording_parts", "recordings"):
        op.drop_table(table)
