"""Returns freed memory to the system."""

import ctypes
import sys


def release_memory() -> None:
    """Return freed memory to the system, where that is glibc's to do.

    It keeps what loading a model or encoding a clip needed for a moment, hundreds of megabytes.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)
