"""The state of one open page: its answers, the one on display, and the turns a follow-up builds on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from uuid import uuid4

from usam.schema.answer import Answer, Turn

if TYPE_CHECKING:
    from ui.studio.clips import HeardClip
    from usam.audio.clip import Clip

KEPT_ENTRIES = 12
LABEL_LENGTH = 56


@dataclass(frozen=True, eq=False)
class SessionAnswer:
    """One answer of this session. `answer_id` names it in the database, None when it could not be stored;
    `source` is the audio file as the page holds it. `audio` is what was heard, None for a stored answer whose
    audio was not kept. `clip_name` is the clip's name for people, empty where nobody knows it; `asked_at` has
    a time zone."""

    key: str
    answer: Answer
    audio: HeardClip | None
    source: str
    answer_id: str | None = None
    storage_error: str | None = None
    clip_name: str = ""
    asked_at: datetime | None = None

    @property
    def clip(self) -> Clip | None:
        """The heard clip, decoded again if needed; None where it is no longer available."""
        return self.audio.get() if self.audio else None

    @property
    def thread(self) -> tuple[Turn, ...]:
        """The conversation up to and with this answer."""
        return (*self.answer.history, Turn(self.answer.question, self.answer.text))

    def label(self, zone: tzinfo | None = None) -> str:
        """Its question and the first words of its text, then its clip and when it was asked, for a list of
        answers. zone: whose time that is, by default the server's."""
        when = _when(self.asked_at, zone) if self.asked_at else ""
        made = " · ".join(part for part in (_short(self.clip_name), when) if part)
        text = _short(self.answer.text) or "(no words)"
        return "\n".join(part for part in (f"{_short(self.answer.question)} → {text}", made) if part)


def _when(asked_at: datetime, zone: tzinfo | None) -> str:
    """`14:02`, of another day with its date."""
    here, now = asked_at.astimezone(zone), datetime.now(UTC).astimezone(zone)
    return here.strftime("%H:%M" if here.date() == now.date() else "%d %b %H:%M")


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LABEL_LENGTH else words[: LABEL_LENGTH - 1].rstrip() + "…"


@dataclass(frozen=True, eq=False)
class Session:
    """entries: oldest first. shown: key of the entry on display. context_of: key of the entry whose clip and
    conversation the next question is about, None for a fresh question. zone: the time zone of the
    visitor, None for that of the server."""

    entries: tuple[SessionAnswer, ...] = ()
    shown: str | None = None
    context_of: str | None = None
    context: tuple[Turn, ...] = ()
    zone: tzinfo | None = None

    def entry(self, key: str | None) -> SessionAnswer | None:
        return next((entry for entry in self.entries if entry.key == key), None)

    @property
    def current(self) -> SessionAnswer | None:
        return self.entry(self.shown)

    @property
    def context_entry(self) -> SessionAnswer | None:
        return self.entry(self.context_of)

    @property
    def unused_seed(self) -> int:
        """A seed that none of these answers was written with."""
        return max((entry.answer.seed + 1 for entry in self.entries), default=0)

    def add(self, entry: SessionAnswer) -> Session:
        """Show a new answer; the oldest entries are discarded."""
        return replace(self.fresh(), entries=(*self.entries, entry)[-KEPT_ENTRIES:], shown=entry.key)

    def heard_again(self, audio: HeardClip, source: str) -> Session:
        """The clip of the answer on display, whose audio was not kept, is here again.

        The answer gets another key: to the page it is another one, which can be drawn and played.
        """
        key = uuid4().hex
        return replace(
            self.each(
                lambda one: replace(one, key=key, audio=audio, source=source) if one is self.current else one
            ),
            shown=key,
            context_of=key if self.context_of == self.shown else self.context_of,
        )

    def each(self, change: Callable[[SessionAnswer], SessionAnswer]) -> Session:
        """Every answer replaced by what `change` makes of it."""
        return replace(self, entries=tuple(change(entry) for entry in self.entries))

    def keep(self, entry: SessionAnswer) -> Session:
        """Add an answer to the list without showing it."""
        return replace(self, entries=self.add(entry).entries)

    def show(self, key: str) -> Session:
        return replace(self, shown=key, context_of=None, context=())

    def follow_up(self) -> Session:
        """The next question continues the conversation on display."""
        entry = self.current
        return replace(self, context_of=entry.key, context=entry.thread) if entry else self

    def edit(self) -> Session:
        """The next question replaces the one on display: same clip, same turns before it."""
        entry = self.current
        return replace(self, context_of=entry.key, context=entry.answer.history) if entry else self

    def fresh(self) -> Session:
        return replace(self, context_of=None, context=())
