"""Leases of all items that people have before them, in the place of reservations of projects' items alone."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", "person", "purpose", name="pk_leases"),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name="fk_leases_answer_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("purpose IN ('rating', 'comparison')", name=op.f("ck_leases_purpose")),
    )
    op.create_index("ix_leases_page", "leases", ["page"])
    op.create_index("ix_leases_until", "leases", ["until"])
    op.drop_table("project_reservations")  # of the last half hour: what they held is offered anew


def downgrade() -> None:
    op.create_table(
        "project_reservations",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "answer_id", "annotator_id", name="pk_project_reservations"),
        sa.ForeignKeyConstraint(
            ["project_id", "answer_id"],
            ["project_items.project_id", "project_items.answer_id"],
            name="fk_project_reservations_item",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["annotator_id"],
            ["annotators.id"],
            name="fk_project_reservations_annotator_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_project_reservations_annotator_id", "project_reservations", ["annotator_id"])
    op.drop_table("leases")
