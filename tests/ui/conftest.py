from collections.abc import Iterator

import pytest

from tests.serving import Server, serve_fake


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with a fake engine, shared by the tests of a module."""
    with serve_fake(tmp_path_factory.mktemp("data")) as server:
        yield server
