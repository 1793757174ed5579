"""Hostile files by the way a stranger sends them: uploaded to the running app, then asked about."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.fake_engine import FakeEngine
from tests.hostile.corpus import Case
from tests.hostile.judge import sentence_faults
from tests.serving import serve, settings_in

PATIENCE = 60.0
"""Seconds for one answer."""


@dataclass(frozen=True)
class App:
    """The running app: its address, and the folder of everything that it may leave on the disk."""

    url: str
    folder: Path
    engine: FakeEngine

    def ask(self, case: Case) -> str:
        """Upload the file and ask about it; the refusal, or nothing when it was answered."""
        self.engine.asked.clear()  # it notes every clip
        with httpx.Client(base_url=f"{self.url}gradio_api/", timeout=PATIENCE) as client:
            reply = client.post("upload", files={"files": (case.name, case.make())})
            if reply.status_code != 200:
                return f"{reply.text} ({reply.status_code})"
            clip = {"path": reply.json()[0], "meta": {"_type": "gradio.FileData"}}
            event = client.post("call/ask", json={"data": [clip, "What?", "qa"]}).json()["event_id"]
            return outcome(client.get(f"call/ask/{event}").text)

    def faults(self, case: Case) -> list[str]:
        """What is wrong with how the app took the file."""
        refusal = self.ask(case)
        wrong = sentence_faults(refusal) if refusal else []
        if case.heard not in (None, not refusal):
            wrong.append(f"should be {'heard' if case.heard else 'refused'}: {refusal!r}")
        return wrong

    def left_over(self) -> list[str]:
        """Temporary files other than the uploads themselves, which are kept for a day."""
        return [str(file) for file in self.folder.rglob("tmp*") if not file.parent.name.isalnum()]


def outcome(events: str) -> str:
    """What a stream of server-sent events ends with: nothing, or the error's sentence."""
    *_, last = [block for block in events.strip().split("\n\n") if "heartbeat" not in block]
    kind, data = (line.split(": ", 1)[1] for line in last.splitlines()[:2])
    if kind == "complete":
        return ""
    error = json.loads(data)
    return str(error.get("error") if isinstance(error, dict) else error)


@contextmanager
def running() -> Iterator[App]:
    """The app with the small engine, everything temporary in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        saved = tempfile.tempdir, os.environ.get("GRADIO_TEMP_DIR")
        os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")
        tempfile.tempdir = name
        try:
            engine = FakeEngine(pause=0.0)
            with serve(settings_in(folder / "data"), lambda progress: engine) as url:
                yield App(url, folder, engine)
        finally:
            tempfile.tempdir = saved[0]
            if saved[1] is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = saved[1]
