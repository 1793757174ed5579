"""The app in a process of its own: started, killed, started again, and looked at from outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Reading:
    """What the process holds at one moment: resident memory in MB, and counts."""

    memory_mb: float
    threads: int
    descriptors: int
    temp_files: int

    def __str__(self) -> str:
        return (
            f"{self.memory_mb:7.0f} MB {self.threads:5} threads {self.descriptors:5} descriptors "
            f"{self.temp_files:5} temp files"
        )


class Server:
    """`app.py` on a free port of this machine, with a data folder and a temporary folder of its own.

    up: set while it can be asked.  outages: how often it was killed.
    """

    def __init__(
        self, folder: Path, command: tuple[str, ...] = ("app.py",), settings: Mapping[str, str] | None = None
    ) -> None:
        """folder: an empty one.  command: what Python runs, in the repository's root.  settings: further
        ones."""
        self._settings = settings or {}
        self.data, self.temp = folder / "data", folder / "tmp"
        self.temp.mkdir()
        self._command = command
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.up = threading.Event()
        self.outages = 0
        self._log = (folder / "log").open("w")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return Path(self._log.name).read_text(errors="replace")

    def start(self, patience: float = 300.0) -> float:
        """Start it and wait until the model is ready; returns the seconds that took.

        Raises RuntimeError when it ends or is not ready by then.
        """
        began = time.monotonic()
        environment = {
            "USAM_PER_MINUTE": "0",  # all visitors have one address
            **os.environ,
            "USAM_DATA": str(self.data),
            "TMPDIR": str(self.temp),
            "GRADIO_TEMP_DIR": str(self.temp / "gradio"),
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(self.port),
            **self._settings,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-u", *self._command],
            cwd=ROOT,
            env=environment,
            stdout=self._log,
            stderr=self._log,
        )
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() - began > patience:
                self.close()
                raise RuntimeError(f"The app did not start:\n{self.log[-2000:]}")
            time.sleep(0.2)
        self.up.set()
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self._process is not None
        self.up.clear()
        self.outages += 1
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def read(self) -> Reading:
        """Only Linux reports this."""
        assert self._process is not None
        process = Path(f"/proc/{self._process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        return Reading(
            memory_mb=int(status["VmRSS"].split()[0]) / 1024,
            threads=int(status["Threads"]),
            descriptors=len(list((process / "fd").iterdir())),
            temp_files=sum(1 for path in self.temp.rglob("*") if path.is_file()),
        )

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).json()["status"] == "ready"
        except (httpx.HTTPError, ValueError, KeyError):
            return False
