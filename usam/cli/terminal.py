"""What reaches the terminal besides a command's own output: nothing, and no character that it cannot show."""

import io
import logging
import os
import sys
import warnings
from typing import TextIO


def prepare() -> None:
    """Keep libraries' notes to developers from the terminal, and replace what its encoding cannot write.

    Warnings asked for with `-W` or PYTHONWARNINGS, and TRANSFORMERS_VERBOSITY, stay as they are set.
    """
    if not sys.warnoptions:
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
    # Its import warns about an optional kernel package; transformers reads its level when it is imported.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # Every model that is loaded would else draw a bar of its own; the commands report progress themselves.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not writes_unicode(stream):
            stream.reconfigure(errors="replace")


def writes_unicode(stream: TextIO) -> bool:
    """Whether a stream can write every character."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")
