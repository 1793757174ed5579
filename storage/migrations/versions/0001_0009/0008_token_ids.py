"""The answer's own token ids, with which it can be scored again; unknown for earlier answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("answers", sa.Column("token_ids", JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("answers", "token_ids")
