"""Projects: who rates which answers, which of these have a known answer, which clips are still to come."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("open_to_all", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("guidelines", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.UniqueConstraint("name", name="uq_projects_name"),
        sa.CheckConstraint("wanted >= 1", name=op.f("ck_projects_wanted")),
    )
    op.create_table(
        "project_members",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "annotator_id", name="pk_project_members"),
        _belongs("project_members", "project_id", "projects.id"),
        _belongs("project_members", "annotator_id", "annotators.id"),
    )
    op.create_index("ix_project_members_annotator_id", "project_members", ["annotator_id"])
    op.create_table(
        "project_items",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        *_gold("project_items"),
        sa.PrimaryKeyConstraint("project_id", "answer_id", name="pk_project_items"),
        _belongs("project_items", "project_id", "projects.id"),
        _belongs("project_items", "answer_id", "answers.id"),
    )
    op.create_index("ix_project_items_answer_id", "project_items", ["answer_id"])
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
        _belongs("project_reservations", "annotator_id", "annotators.id"),
    )
    op.create_index("ix_project_reservations_annotator_id", "project_reservations", ["annotator_id"])
    op.create_table(
        "project_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        *_gold("project_imports"),
        sa.PrimaryKeyConstraint("id", name="pk_project_imports"),
        _belongs("project_imports", "project_id", "projects.id"),
    )
    op.create_index("ix_project_imports_project_id", "project_imports", ["project_id"])


def _gold(table: str) -> tuple[sa.Column | sa.CheckConstraint, ...]:
    return (
        sa.Column("gold_thumb", sa.Integer(), nullable=True),
        sa.Column("gold_score", sa.Integer(), nullable=True),
        sa.Column("gold_text", sa.Text(), nullable=True),
        sa.CheckConstraint("gold_thumb IN (-1, 1)", name=op.f(f"ck_{table}_gold_thumb")),
        sa.CheckConstraint("gold_score BETWEEN 1 AND 5", name=op.f(f"ck_{table}_gold_score")),
    )


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}", ondelete="CASCADE")


def downgrade() -> None:
    for table in (
        "project_imports",
        "project_reservations",
        "project_items",
        "project_members",
        "projects",
    ):
        op.drop_table(table)
