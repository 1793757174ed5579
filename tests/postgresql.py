"""A place of its own for each test in the PostgreSQL database that USAM_TEST_POSTGRESQL names."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url, text

SERVER = os.environ.get("USAM_TEST_POSTGRESQL", "")

needs_postgresql = pytest.mark.skipif(not SERVER, reason="USAM_TEST_POSTGRESQL names no database")


@contextmanager
def scratch_schema() -> Iterator[str]:
    """The URL of an empty schema, which is gone afterwards."""
    schema = f"test_{uuid.uuid4().hex}"
    server = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    inside = make_url(SERVER).update_query_dict({"options": f"-csearch_path={schema}"})
    yield inside.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()
