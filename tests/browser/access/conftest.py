"""What the tests of who may do what have in common."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's data folder."""
    return tmp_path_factory.mktemp("data")
