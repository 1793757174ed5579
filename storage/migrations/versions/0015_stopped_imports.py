"""Whether a person stopped an import, and how often it ended a process, is kept with the clips that wait,
where every process sees it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "project_imports", sa.Column("stopped", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("project_imports", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("project_imports", "attempts")
    op.drop_column("project_imports", "stopped")
