import pytest

from usam.training.targets.word_targets import Targets


class Letters:
    """Word pieces that are single letters."""

    def pieces(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    word = pieces


@pytest.fixture
def targets() -> Targets:
    return Targets(Letters(), [ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz"])  # type: ignore[arg-type]
