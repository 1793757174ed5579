"""Who comes: people who ask and rate, and people who annotate what others asked."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import httpx

from benchmarks.endurance.ledger import FAILURES, Ledger
from benchmarks.endurance.page import OpenPage
from benchmarks.endurance.visitors import (
    CLIPS,
    REUSED,
    Budget,
    Visitor,
    ask_and_rate,
    ask_and_rate_by_the_api,
    look_around,
    press_stop,
)
from benchmarks.replicas.cluster import Cluster
from ui.server.replica_cookie import COOKIE

ACTS = {ask_and_rate: 5, ask_and_rate_by_the_api: 3, look_around: 3, press_stop: 1}
_SHOWN = re.compile(r'class=\\?"item\\?" data-id=\\?"([0-9a-f-]{36})')


@dataclass
class Leases:
    """Which answer is before whom on Annotate, as its page says. broken: answers that two people, or one
    person twice, were shown unasked. What was before a page whose replica was killed is free again, also
    where its person has not noticed yet."""

    broken: list[str] = field(default_factory=list)
    shown: Counter[str] = field(default_factory=Counter)
    _before: dict[str, tuple[str, Callable[[], bool]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def show(self, answer: str, person: str, lost: Callable[[], bool]) -> None:
        """lost: whether the page's replica was killed since it was opened."""
        with self._lock:
            self.shown[answer] += 1
            other, gone = self._before.get(answer, (person, lost))
            if other != person and not gone():
                self.broken.append(f"{answer} is before {other} and {person}")
            else:
                self._before[answer] = person, lost

    def end(self, person: str) -> None:
        """Called before the page lets go: the server may show it to others before this person knows."""
        with self._lock:
            self._before = {answer: who for answer, who in self._before.items() if who[0] != person}


class ReplicaLedger(Ledger):
    """As for one server, but only what a killed replica served counts as cut short by the kill."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)  # type: ignore[arg-type]
        self.cluster = cluster
        self.leases = Leases()

    def act_of(self, visitor: ReplicaVisitor, name: str) -> AbstractContextManager[None]:
        return self.counted(name, lambda: visitor.lost, (*FAILURES, StopIteration))


class ReplicaVisitor(Visitor):
    """Comes from an address of their own, and reloads the page when its replica is gone."""

    ledger: ReplicaLedger

    def __init__(self, number: int, ledger: ReplicaLedger, budget: Budget, pause: float) -> None:
        super().__init__(number, ledger, budget, pause)
        self.client = httpx.Client(
            base_url=ledger.server.url,
            timeout=180,
            limits=REUSED,
            headers={"X-Forwarded-For": f"198.51.100.{number + 1}"},
        )
        self.since = 0.0
        self.replica: str | None = None

    @property
    def lost(self) -> bool:
        """Whether a replica that served the page since it was opened was killed.

        That which opened it counts: the next request may reach another one, whose cookie replaces its own.
        """
        served = {self.replica, self.client.cookies.get(COOKIE)}
        return any(self.ledger.cluster.lost(replica, self.since) for replica in served)

    def begin(self) -> None:
        """Before a page is opened."""
        self.since = time.monotonic()
        self.replica = self.client.cookies.get(COOKIE)

    @property
    def leaves(self) -> bool:
        return self.lost or self.budget.spent(self.ledger)

    def visit(self) -> None:
        self.begin()
        with self.ledger.act_of(self, "open the page"), OpenPage(self.client, self.name) as page:
            self.replica = self.client.cookies.get(COOKIE)
            page.lost = lambda: self.lost
            page.upload(self.draw.choice(CLIPS))
            for _ in range(self.draw.randint(1, 6)):
                if self.leaves:
                    return
                act = self.draw.choices(list(ACTS), list(ACTS.values()))[0]
                with self.ledger.act_of(self, act.__name__.replace("_", " ")):
                    act(self, page)
                self.budget.over.wait(self.draw.uniform(0, 2 * self.pause))


class Annotator(ReplicaVisitor):
    def visit(self) -> None:
        self.begin()
        try:
            with (
                self.ledger.act_of(self, "open Annotate"),
                OpenPage(self.client, self.name, "annotate") as page,
            ):
                self.judge(page)
        finally:
            self.ledger.leases.end(self.name)

    def judge(self, page: OpenPage) -> None:
        """From the first answer on display, which may be one without audio, to some more."""
        self.replica = self.client.cookies.get(COOKIE)
        page.lost = lambda: self.lost
        page.fill("audio-only", False)
        shown = "".join(page.trigger("audio-only", "input"))
        for _ in range(self.draw.randint(3, 12)):
            found = _SHOWN.search(shown)
            if found is None:
                return
            self.ledger.leases.show(found[1], self.name, lambda: self.lost)
            self.budget.over.wait(self.draw.uniform(0, 2 * self.pause))
            if self.leaves:
                break
            self.ledger.leases.end(self.name)
            with self.ledger.act_of(self, "annotate"):
                shown = self.submit(page)
        # Leaving: what is on display is offered to others from now on.
        self.ledger.leases.end(self.name)

    def submit(self, page: OpenPage) -> str:
        comment = f"{self.name} judges {next(self.numbers)}"
        page.fill("thumb", self.draw.choice((1, -1)))
        page.fill("comment", comment)
        output = "".join(page.trigger("submit"))
        self.ledger.saved.add(comment)
        return output
