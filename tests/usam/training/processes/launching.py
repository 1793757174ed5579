"""Starts processes that train together, on the CPU, as people do: with accelerate's launcher."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def launch(module: str, *arguments: str) -> None:
    """Run a module in two processes, and fail unless both end with 0."""
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    command += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    command += ["--main_process_port", "0", "-m", module, *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
