"""How far long work is."""

from collections.abc import Callable

ProgressCallback = Callable[[str, float], None]
"""Called with a line that says what is being done, and the share of the whole that is done, 0 to 1."""
