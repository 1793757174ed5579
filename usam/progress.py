"""Progress of long tasks."""

from collections.abc import Callable

ProgressCallback = Callable[[str, float], None]
"""Called with a line that names the current step, and the share of the whole that is done, 0 to 1."""
