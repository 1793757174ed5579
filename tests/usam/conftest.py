from pathlib import Path

import pytest

from tests import tiny
from usam.engine.engine import Engine
from usam.model.model import USAM


@pytest.fixture
def model() -> USAM:
    return tiny.model()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return tiny.engine(tmp_path)
