"""When an answer says the same again and again, and where it is to be cut."""

from collections.abc import Callable, Sequence
from functools import cache

LONGEST = 12  # tokens of what is repeated
REPEATS = 4
NUMBER_REPEATS = 10  # of digits: a million has six zeros
KEPT = 2  # occurrences


class RepetitionGuard:
    """Finds loops at the end of an answer's token ids. `text` gives that of a token."""

    def __init__(self, text: Callable[[int], str]) -> None:
        self._text = cache(text)

    def cut(self, ids: Sequence[int]) -> int | None:
        """How many tokens to keep of an answer that ends in a loop, None if it does not.

        A loop is at most LONGEST tokens, REPEATS times in a row; KEPT of them stay.
        """
        for period in range(1, LONGEST + 1):
            repeated = run(ids, period)
            if repeated < REPEATS * period:
                continue
            if repeated >= self._wanted(ids[-period:]) * period:
                return len(ids) - repeated + KEPT * period
        return None

    def settled(self, ids: Sequence[int]) -> int:
        """How many tokens stay, whatever follows: those after may be a loop's."""
        held = (run(ids, period) - KEPT * period for period in range(1, LONGEST + 1))
        return len(ids) - max(0, *held)

    def _wanted(self, ids: Sequence[int]) -> int:
        text = "".join(map(self._text, ids))
        number = any(map(str.isdigit, text)) and not any(map(str.isalpha, text))
        return NUMBER_REPEATS if number else REPEATS


def run(ids: Sequence[int], period: int) -> int:
    """Length of the longest end of `ids` that repeats its first `period` tokens, themselves counted."""
    if len(ids) < period:
        return 0
    index = len(ids) - 1
    while index >= period and ids[index] == ids[index - period]:
        index -= 1
    return len(ids) - 1 - index + period
