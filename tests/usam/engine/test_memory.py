"""What was freed goes back to the system."""

import subprocess
import sys

import pytest

FREED = """
import os
from pathlib import Path
from usam.engine.memory import release_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

blocks = [bytes(100_000) for _ in range(2_000)]  # too small to be mapped, and so given back, one by one
pinned = bytes(100_000)  # the last of the heap stays
full = resident()
del blocks
release_memory()
print(full - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_freed_memory_is_given_back() -> None:
    ran = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)
    assert int(ran.stdout) > 100e6
