"""One open page of the app over Gradio's own protocol: what a browser sends, without the drawing."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

API = "/gradio_api"
MOST_SILENCES = 20  # heartbeats of 15 s in a row without a word
FAULT = re.compile(r'class="fault" role="alert">([^<]+)<')


class RefusedError(Exception):
    """The app answered with an error; the text is its sentence."""


class OpenPage:
    """Open as long as the block runs: the server hears its heartbeat, and then that it was closed.

    client: with the app's address; one page at a time may use it.  person: the random id of the browser, as
    it was before ids were signed: 22 letters, digits, hyphens or underscores; a shorter one is filled up.
    """

    def __init__(self, client: httpx.Client, person: str, place: str = "") -> None:
        """place: of the page in the app, such as `annotate`."""
        self.client = client
        self.lost: Callable[[], bool] = lambda: False
        """Whether the server that the page waits for is gone, and another one beats in its place."""
        self.session = secrets.token_hex(6)
        self._connections = ExitStack()
        config = client.get("/config").raise_for_status().json()
        self._steps: dict[int, dict[str, Any]] = {step["id"]: step for step in config["dependencies"]}
        here = config["page"][place]
        self._here = set(here["dependencies"])
        self._names: dict[str, int] = {}
        self._values: dict[int, Any] = {}
        for component in config["components"]:
            number, properties = component["id"], component["props"]
            is_person = component["type"] == "browserstate"
            self._values[number] = person.ljust(22, "_") if is_person else properties.get("value")
            if number in here["components"]:
                self._names.setdefault(properties.get("elem_id"), number)

    def __enter__(self) -> OpenPage:
        beat = self.client.stream("GET", f"{API}/heartbeat/{self.session}", timeout=None)
        self._connections.enter_context(beat)
        opened = next(
            step
            for step in self._steps.values()
            if step["id"] in self._here and any(event == "load" for _, event in step["targets"])
        )
        self.opened = "".join(self._run(opened))
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._connections.close()

    def fill(self, name: str, value: Any) -> None:
        """Put a value into the field with this id."""
        self._values[self._names[name]] = value

    def value(self, name: str) -> Any:
        return self._values[self._names[name]]

    def upload(self, file: Path) -> None:
        """Put a clip into the player."""
        reply = self.client.post(f"{API}/upload", files={"files": (file.name, file.read_bytes())})
        if reply.is_error:
            raise RefusedError(reply.text)
        meta = {"_type": "gradio.FileData"}
        self.fill("clip", {"path": reply.json()[0], "orig_name": file.name, "meta": meta})
        list(self.trigger("clip", "change"))

    def trigger(
        self, name: str, event: str = "click", carried: dict[str, Any] | None = None
    ) -> Generator[str, None, None]:
        """Press a button: everything that follows from it, message by message as JSON.

        carried: what goes with an event of the viewer's.
        Raises RefusedError with the sentence that a visitor would read. Who stops reading leaves the stream.
        """
        refused, steps = "", [self._step_of(name, event)]
        while steps:
            step = steps.pop(0)
            success = True
            try:
                yield from self._run(step, carried)
            except RefusedError as error:
                success, refused = False, refused or str(error)
            steps += [later for later in self._steps.values() if _follows(later, step["id"], success)]
        if refused:
            raise RefusedError(refused)

    @property
    def events(self) -> list[str]:
        """The names of all that the page can send."""
        return [step["api_name"] for step in self._steps.values() if step["backend_fn"]]

    def fields(self, event: str) -> int:
        """How many values go with an event."""
        return len(self._named(event)["inputs"])

    def send(self, event: str, changed: dict[int, Any]) -> list[str]:
        """Send one event by its name, with other values in the place of some fields'; the replies.

        Raises RefusedError.
        """
        inputs, kept = self._named(event)["inputs"], self._values
        try:
            self._values = {
                **kept,
                **{inputs[at]: value for at, value in changed.items() if at < len(inputs)},
            }
            return list(self._run(self._named(event)))
        finally:
            self._values = kept

    def _named(self, event: str) -> dict[str, Any]:
        return next(step for step in self._steps.values() if step["api_name"] == event)

    def join(self, name: str) -> str:
        """Press Ask, but do not read the answer; returns where it streams."""
        first = self._step_of(name, "click")
        list(self._run(first))
        steps = (step for step in self._steps.values() if step["backend_fn"])  # the others run in the browser
        self._post("queue/join", next(step for step in steps if _follows(step, first["id"], True)))
        return f"{API}/queue/data?session_hash={self.session}"

    def _step_of(self, name: str, event: str) -> dict[str, Any]:
        wanted = [self._names[name], event]
        return next(step for step in self._steps.values() if wanted in step["targets"])

    def _run(self, step: dict[str, Any], carried: dict[str, Any] | None = None) -> Generator[str, None, None]:
        if not step["backend_fn"]:
            return
        if not step["queue"]:
            output = self._post("run/predict", step, carried).text
            if fault := _fault_in(output):
                raise RefusedError(fault)
            yield output
            return
        event = self._post("queue/join", step, carried).json()["event_id"]
        stream = self.client.stream("GET", f"{API}/queue/data", params={"session_hash": self.session})
        completed, refused, silences = False, None, 0
        # To the end of the stream, as a browser does, also after a refusal: Gradio drops all that waits for a
        # page that leaves its stream, and that may already be the page's next event.
        with stream as reply:
            for line in reply.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line.removeprefix("data:"))
                silences = silences + 1 if message["msg"] == "heartbeat" else 0
                if silences and completed:  # nothing follows, though Gradio leaves the stream open
                    break
                if silences > MOST_SILENCES or (silences and self.lost()):
                    raise RefusedError("The answer did not come.")
                if message["msg"] == "unexpected_error":
                    refused = message["message"]
                if message.get("event_id") != event or "output" not in message:
                    continue
                completed = message["msg"] == "process_completed"
                output = json.dumps(message["output"], ensure_ascii=False)
                if not message.get("success", True):
                    refused = str(message["output"].get("error"))
                elif fault := _fault_in(output):
                    refused = refused or fault
                else:
                    yield output
        if refused is not None:
            raise RefusedError(refused)
        if not completed:
            raise RefusedError("The stream ended before the answer did.")

    def _post(self, path: str, step: dict[str, Any], carried: dict[str, Any] | None = None) -> httpx.Response:
        body = {
            "data": [self._values.get(number) for number in step["inputs"]],
            "fn_index": step["id"],
            "session_hash": self.session,
            "event_data": carried,
        }
        # Not by httpx, which sends no NaN: a visitor may.
        content, kind = json.dumps(body), {"Content-Type": "application/json"}
        reply = self.client.post(f"{API}/{path}", content=content, headers=kind)
        if reply.is_error:
            raise RefusedError(str(_error_in(reply)))
        return reply


def _follows(step: dict[str, Any], number: int, success: bool) -> bool:
    if step["trigger_after"] != number:
        return False
    return not step["trigger_only_on_failure"] if success else not step["trigger_only_on_success"]


def _fault_in(output: str) -> str | None:
    """The sentence of a fault that a handler's output shows on the page, if any."""
    found = FAULT.search(output.replace('\\"', '"'))
    return found[1] if found else None


def _error_in(reply: httpx.Response) -> Any:
    try:
        body = reply.json()
    except ValueError:
        return reply.text[:200]
    return body.get("error") or body.get("detail")
