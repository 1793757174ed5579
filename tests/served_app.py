"""The app with the fake engine as a program of its own, for the benchmark of replicas.

python -m benchmarks.replicas --minutes 1 --app tests/served_app.py
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from tests.fake_engine import FakeEngine
from ui.build import build
from ui.settings import Settings

if __name__ == "__main__":
    build(Settings.from_environment(), lambda progress: FakeEngine()).launch()  # type: ignore[arg-type, return-value]
