"""What people do on the app: ask, rate, look around, press Stop, reload, close the tab, stop reading."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count

import httpx

from benchmarks.endurance.ledger import Ledger
from benchmarks.endurance.page import API, OpenPage, RefusedError
from ui.examples import EXAMPLE_FOLDER

CLIPS = sorted(EXAMPLE_FOLDER.glob("*.ogg"))
TASKS = ("qa", "qa", "asr", "aac", "mc")
UNREAD_SECONDS = 20.0
REUSED = httpx.Limits(keepalive_expiry=1.0)
"""The server closes connections idle for 5 s. A browser sends again what meets that, httpx does not."""


@dataclass
class Budget:
    """When to stop: `over` is set, or `requests` things were done; None: no such count."""

    over: threading.Event
    requests: int | None = None

    def spent(self, ledger: Ledger) -> bool:
        enough = self.requests is not None and sum(ledger.done.values()) >= self.requests
        return enough or self.over.is_set()


class Visitor:
    """One person with one browser, who does one thing after the other until the budget is spent."""

    def __init__(self, number: int, ledger: Ledger, budget: Budget, pause: float) -> None:
        """pause: mean seconds between two things."""
        self.name = f"visitor-{number}"
        self.ledger = ledger
        self.budget = budget
        self.pause = pause
        self.draw = random.Random(number)
        self.numbers = count()
        self.client = httpx.Client(base_url=ledger.server.url, timeout=120, limits=REUSED)
        self.page: OpenPage | None = None

    def run(self) -> None:
        with self.client:
            while not self.budget.spent(self.ledger):
                if not self.ledger.server.up.wait(timeout=1):
                    continue
                self.visit()
                self.budget.over.wait(self.draw.uniform(0, 2 * self.pause))

    def visit(self) -> None:
        """Open the page, do some things on it, and close it; after an error, reload."""
        with self.ledger.act("open the page"), OpenPage(self.client, self.name) as page:
            with self.ledger.page_load():
                self.client.get("/").raise_for_status()
            page.upload(self.draw.choice(CLIPS))
            for _ in range(self.draw.randint(1, 6)):
                if self.budget.spent(self.ledger) or not self.ledger.server.up.is_set():
                    return
                act = self.draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
                with self.ledger.act(act.__name__.replace("_", " ")):
                    act(self, page)
                if act is close_the_tab:
                    return
                self.budget.over.wait(self.draw.uniform(0, 2 * self.pause))

    def question(self) -> str:
        return f"What do you hear? {self.name} asks {next(self.numbers)}"

    def words(self, page: OpenPage) -> Generator[None, None, None]:
        """Press Ask, and go on at every update of the page that has words of the answer."""
        for message in page.trigger("ask"):
            if "answer-text" in message and "caret" in message:
                yield


def ask_and_rate(visitor: Visitor, page: OpenPage) -> None:
    page.fill("task", visitor.draw.choice(TASKS))
    page.fill("question", visitor.draw.choice(("", visitor.question())))
    began = time.perf_counter()
    with visitor.ledger.streaming():
        for _ in page.trigger("ask"):
            pass
    visitor.ledger.answers.append(time.perf_counter() - began)
    comment = f"{visitor.name} rates {next(visitor.numbers)}"
    page.fill("thumb", visitor.draw.choice((1, -1)))
    page.fill("score", visitor.draw.randint(1, 5))
    page.fill("comment", comment)
    if "Saved" not in "".join(page.trigger("save")):
        raise RefusedError("The page did not say that the rating was saved.")
    visitor.ledger.saved.add(comment)


def ask_and_rate_by_the_api(visitor: Visitor, page: OpenPage) -> None:
    call = f"{API}/call/ask"
    event = (
        page.client.post(call, json={"data": [page.value("clip"), visitor.question(), "qa"]})
        .raise_for_status()
        .json()
    )
    with visitor.ledger.streaming():
        reply = page.client.get(f"{call}/{event['event_id']}").text
    kind, data = reply.strip().splitlines()[-2:]
    answer = json.loads(data.removeprefix("data:"))
    if "complete" not in kind:
        raise RefusedError(str(answer.get("error")))
    comment = f"{visitor.name} rates {next(visitor.numbers)}"
    rating = [answer[0]["answer_id"], visitor.name, 1, visitor.draw.randint(1, 5), None, comment, None, None]
    rated = page.client.post(f"{API}/run/rate", json={"data": rating}).raise_for_status()
    if rated.json()["data"][0]["saved"]:
        visitor.ledger.saved.add(comment)


def look_around(visitor: Visitor, page: OpenPage) -> None:
    for path in ("/", "/annotate", "/dashboard", "/theme.css", f"{API}/info"):
        with visitor.ledger.page_load():
            page.client.get(path).raise_for_status()


def press_stop(visitor: Visitor, page: OpenPage) -> None:
    page.fill("task", "asr")
    page.fill("question", "")
    with visitor.ledger.streaming():
        for number, _ in enumerate(visitor.words(page)):
            if number == 1:
                list(page.trigger("stop"))


def close_the_tab(visitor: Visitor, page: OpenPage) -> None:
    """While the answer is being written."""
    question = visitor.question()
    page.fill("task", "asr")
    page.fill("question", question)
    with visitor.ledger.streaming():
        answer = visitor.words(page)
        for number, _ in enumerate(answer):
            if number == 1:
                break
        answer.close()
    page.__exit__(None, None, None)
    visitor.ledger.left[question] = time.time()


WEIGHTS: dict[Callable[[Visitor, OpenPage], None], int] = {
    ask_and_rate: 4,
    ask_and_rate_by_the_api: 2,
    look_around: 3,
    press_stop: 1,
    close_the_tab: 2,
}


def read_nothing(ledger: Ledger, budget: Budget) -> None:
    """A client that asks, and leaves what the server sends it unread, again and again."""
    with httpx.Client(base_url=ledger.server.url, timeout=120, limits=REUSED) as client:
        while not budget.spent(ledger):
            if not ledger.server.up.wait(timeout=1):
                continue
            with ledger.act("never read"), OpenPage(client, "visitor-deaf") as page:
                page.upload(CLIPS[0])
                page.fill("task", "asr")
                with socket.socket() as connection:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
                    connection.connect(("127.0.0.1", ledger.server.port))
                    request = f"GET {page.join('ask')} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                    connection.sendall(request.encode())
                    budget.over.wait(UNREAD_SECONDS)
