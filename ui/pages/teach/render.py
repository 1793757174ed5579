"""What the Teach page shows, as HTML. Every text is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ui.components import messages
from ui.pages.teach.result_card import KINDS, interval, share
from ui.studio.tuning.teaching import Learnable, TeachingState
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoint

HINT = (
    "<p class='hint'>Ratings teach the checkpoint that answers now, on this machine and beside the app. The "
    "result answers nobody until it is promoted.</p>"
)
NOTHING = "<p class='hint'>There is nothing to learn from yet: rate answers whose clip was kept.</p>"


def learnable(found: Learnable) -> str:
    """Counts by kind, what is left out and why, and how many people it comes from."""
    if not found.counts:
        return NOTHING + messages.counts_table("Left out", found.dropped)
    kinds = {KINDS.get(kind, kind): count for kind, count in found.counts.items()}
    rows, people = sum(found.annotators.values()), len(found.annotators)
    of = "one person" if people == 1 else f"{people:,} people"
    largest = f"; the busiest gave {max(found.annotators.values()) / rows:.0%} of it" if people > 1 else ""
    note = f"<p class='hint'>From {of}{largest}.</p>" if people else ""
    tables = messages.counts_table("Learn from", kinds) + messages.counts_table("Left out", found.dropped)
    return f'<div class="audit">{tables}</div>{note}'


def run(state: TeachingState) -> str:
    """How far the run is, or how the last one ended."""
    if state.running:
        now = state.progress
        left = f", about {_duration(now.left)} left of this part" if now.left is not None else ""
        check = f"<p class='hint'>Last check: {escape(now.check)}.</p>" if now.check else ""
        return messages.working(f"{now.message}{left}", now.share) + check
    if state.ended:
        return messages.status(state.ended)
    return messages.saved(f"{state.result} is made, and shown below.") if state.result else ""


def history(
    known: Sequence[TunedCheckpoint],
    serving: str,
    names: Mapping[str, str],
    preset: str,
    unavailable: str,
) -> str:
    """Which checkpoint answers, and all that were tuned. names: of checkpoints, by fingerprint."""
    notice = messages.fault(unavailable) if unavailable else ""
    now = messages.status(
        f"{serving} answers now." if serving != preset else f"{preset}, not tuned, answers now."
    )
    if not known:
        return f"{notice}{now}<p class='hint'>Nothing has been tuned yet.</p>"
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Checkpoint", "Tuned from", "Made", "Held-out votes", "Result")
    )
    rows = "".join(_row(one, serving, names) for one in known)
    return f'{notice}{now}<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(one: TunedCheckpoint, serving: str, names: Mapping[str, str]) -> str:
    after: Mapping[str, Any] = one.record.get("after") or {}
    held = f"{share(after['accuracy'])}, 95 % {interval(after['interval'])}" if after else "–"
    verdict = f"refused: {one.refused}" if one.refused else "can be promoted"
    cells = (
        one.name,
        names.get(one.parent, one.parent or "unknown"),
        f"{one.made:%Y-%m-%d %H:%M} UTC",
        held,
        "answers now" if one.name == serving else verdict,
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
