"""Replicas of the app on this machine's loopback, behind nginx, on one PostgreSQL database."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.endurance.server import ROOT, Server

NGINX = ROOT / "deploy" / "nginx.conf"
MOST_ASKED = "1000"  # questions a minute, of one visitor


class Cluster:
    """Two replicas, each with a data folder of its own, and what they share. A replica is known by its name.

    killed: when (s of the monotonic clock) each was.  up, outages, url, data: as of one `Server`.
    """

    def __init__(self, folder: Path, database_url: str, command: tuple[str, ...]) -> None:
        """folder: an empty one.  command: what Python runs as the app."""
        shared = {
            "USAM_DATABASE_URL": database_url,
            "USAM_STORAGE": str(folder / "shared"),
            "USAM_BEHIND_PROXY": "2",  # each visitor says whom they come for, as a CDN would
            "USAM_PER_MINUTE": MOST_ASKED,
            "USAM_REPEAT_SHARE": "0",
        }
        self.data = folder
        self.killed: dict[str, float] = {}
        self.up = threading.Event()
        self.replicas: dict[str, Server] = {}
        for name in "ab":
            (folder / name).mkdir()
            self.replicas[name] = Server(folder / name, command, {**shared, "USAM_REPLICA": name})
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._proxy: subprocess.Popen[bytes] | None = None

    @property
    def outages(self) -> int:
        return sum(server.outages for server in self.replicas.values())

    def start(self) -> dict[str, float]:
        """Start everything; returns the seconds until each replica was ready. Raises RuntimeError."""
        took: dict[str, float] = {}
        errors: list[Exception] = []

        def start(name: str) -> None:
            try:
                took[name] = self.replicas[name].start()
            except Exception as error:
                errors.append(error)

        starts = [threading.Thread(target=start, args=(name,)) for name in self.replicas]
        for thread in starts:
            thread.start()
        for thread in starts:
            thread.join()
        if errors:
            raise errors[0]
        self._start_proxy()
        self.up.set()
        return took

    def kill(self, name: str) -> None:
        self.killed[name] = time.monotonic()
        self.replicas[name].kill()

    def restart(self, name: str) -> float:
        """Returns the seconds until it was ready."""
        return self.replicas[name].start()

    def lost(self, name: str | None, since: float) -> bool:
        """Whether a page that this replica served since then was lost in a kill; of a page whose replica is
        not known yet, whether there was one."""
        killed = [when for of, when in self.killed.items() if name in (None, of)]
        return any(when >= since for when in killed)

    def close(self) -> None:
        if self._proxy is not None:
            self._proxy.terminate()
            self._proxy.wait()
        for server in self.replicas.values():
            server.close()

    @property
    def log(self) -> str:
        return "".join(server.log for server in self.replicas.values())

    def _start_proxy(self) -> None:
        """The configuration that is shipped, with the ports of this run."""
        nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if nginx is None:
            raise RuntimeError("nginx is not installed: apt-get install nginx")
        folder = self.data / "nginx"
        folder.mkdir()
        site = NGINX.read_text()
        for name, server in self.replicas.items():
            site = site.replace(f"studio-{name}:7860", f"127.0.0.1:{server.port}")
        site = re.sub(r"listen 80;", f"listen 127.0.0.1:{self.port};", site)
        paths = "".join(
            f"{kind}_temp_path {folder / kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = folder / "nginx.conf"
        config.write_text(
            f"{'user root; ' if os.geteuid() == 0 else ''}"
            f"daemon off; pid {folder / 'pid'}; error_log {folder / 'error.log'}; "
            f"events {{ worker_connections 4096; }} http {{ access_log off; {paths} {site} }}"
        )
        self._proxy = subprocess.Popen([nginx, "-c", str(config), "-p", str(folder)])
        deadline = time.monotonic() + 30
        while not _answers(self.url):
            if self._proxy.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nginx did not start: {(folder / 'error.log').read_text()[-500:]}")
            time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: Any = probe.getsockname()[1]
        return int(port)
