"""An index that holds all that is asked of the ratings to find where people disagree."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME = "ix_ratings_answer_id_withdrawn_thumb_score"


def upgrade() -> None:
    op.create_index(NAME, "ratings", ["answer_id", "withdrawn", "thumb", "score"])


def downgrade() -> None:
    op.drop_index(NAME, "ratings")
