"""Ratings gain dimensions and flags; a revision says which earlier one it restores.

Columns are added in place: SQLite's other way, copying the table, would delete what refers to its rows.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    for table in ("ratings", "rating_revisions"):
        op.add_column(table, sa.Column("dimensions", JSON, server_default=sa.text("'{}'"), nullable=False))
        op.add_column(table, sa.Column("flags", JSON, server_default=sa.text("'[]'"), nullable=False))
    op.add_column("rating_revisions", sa.Column("restores", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("rating_revisions", "restores")
    for table in ("ratings", "rating_revisions"):
        op.drop_column(table, "flags")
        op.drop_column(table, "dimensions")
