"""Full-text search: of SQLite by FTS5, kept by triggers; of PostgreSQL by indexes over its text vectors.

FTS5 reads the texts from the tables themselves, by rowid, so that no text is stored twice.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXTS = {"answers": ("question", "text"), "ratings": ("correction", "comment")}


def upgrade() -> None:
    for table, columns in TEXTS.items():
        if op.get_bind().dialect.name == "postgresql":
            words = " || ' ' || ".join(f"coalesce({column}, '')" for column in columns)
            op.execute(f"CREATE INDEX ix_{table}_words ON {table} USING gin (to_tsvector('simple', {words}))")
        else:
            _index(table, columns)


def _index(table: str, columns: tuple[str, ...]) -> None:
    words, names = f"{table}_words", ", ".join(columns)
    op.execute(f"CREATE VIRTUAL TABLE {words} USING fts5({names}, content={table}, columnsize=0)")
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("old", "new"))
    add = f"INSERT INTO {words} (rowid, {names}) VALUES (new.rowid, {new});"
    take_out = f"INSERT INTO {words} ({words}, rowid, {names}) VALUES ('delete', old.rowid, {old});"
    op.execute(f"CREATE TRIGGER {words}_added AFTER INSERT ON {table} BEGIN {add} END")
    op.execute(f"CREATE TRIGGER {words}_gone AFTER DELETE ON {table} BEGIN {take_out} END")
    op.execute(
        f"CREATE TRIGGER {words}_changed AFTER UPDATE OF {names} ON {table} BEGIN {take_out} {add} END"
    )
    op.execute(f"INSERT INTO {words} ({words}) VALUES ('rebuild')")


def downgrade() -> None:
    for table in TEXTS:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP INDEX ix_{table}_words")
        else:
            for change in ("added", "gone", "changed"):
                op.execute(f"DROP TRIGGER {table}_words_{change}")
            op.execute(f"DROP TABLE {table}_words")
