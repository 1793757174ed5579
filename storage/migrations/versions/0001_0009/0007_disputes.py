"""How far the ratings of each answer lie apart, and an index to count what waits in the queue by."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MEASURED = """
INSERT INTO disputes (answer_id, spread)
SELECT answer_id, spread FROM (
    SELECT answer_id,
           coalesce(max(thumb) - min(thumb), 0) / 2.0 + coalesce(max(score) - min(score), 0) / 4.0 AS spread
    FROM ratings WHERE NOT withdrawn GROUP BY answer_id
) AS measured WHERE spread > 0
"""


def upgrade() -> None:
    op.create_table(
        "disputes",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("spread", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", name="pk_disputes"),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name="fk_disputes_answer_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_disputes_spread", "disputes", ["spread"])
    op.execute(MEASURED)
    words = sa.text("text != ''")
    op.create_index(
        "ix_answers_judgeable", "answers", ["clip_sha256"], sqlite_where=words, postgresql_where=words
    )


def downgrade() -> None:
    op.drop_index("ix_answers_judgeable", "answers")
    op.drop_table("disputes")
