"""What several processes of the app share: secrets, logins, counts of requests, places, prepared files."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
    )
    op.create_table(
        "logins",
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("credential", sa.String(64), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_logins"),
    )
    op.create_index("ix_logins_name", "logins", ["name"])
    op.create_table(
        "request_times",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_request_times"),
    )
    op.create_index("ix_request_times_what_who_at", "request_times", ["what", "who", "at"])
    op.create_index("ix_request_times_at", "request_times", ["at"])
    op.create_table(
        "queue_places",
        sa.Column("queue", sa.String(16), nullable=False),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("process", sa.String(32), nullable=False),
        sa.Column("visitor", sa.String(64), nullable=True),
        sa.Column("until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("queue", "page", name="pk_queue_places"),
    )
    op.create_table(
        "prepared_files",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_prepared_files"),
    )


def downgrade() -> None:
    for table in ("prepared_files", "queue_places", "request_times", "logins", "secrets"):
        op.drop_table(table)
