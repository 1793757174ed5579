"""Short messages that several pages show, as HTML. Every text is escaped here."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ui.access.admin import LockedError

LOST = "The server was restarted and no longer knows what is on this page. Reload the page to continue."


def status(text: str) -> str:
    return f'<p class="heard" role="status">{escape(text)}</p>'


def fault(sentence: str) -> str:
    return f'<p class="fault" role="alert">{escape(sentence)}</p>'


def saved(word: str) -> str:
    return f'<p class="saved" role="status">✓ {escape(word)}</p>'


def working(message: str, share: float, label: str = "Progress") -> str:
    """The progress of a longer task. share: from 0 to 1. label: the bar's name."""
    percent = round(100 * min(max(share, 0.0), 1.0))
    return (
        f'<p class="engine loading" role="status"><i></i>{escape(message)} <b>{percent} %</b>'
        f'<progress max="100" value="{percent}" aria-label="{label}">{percent} %</progress></p>'
    )


def seconds(value: float) -> str:
    return f"{value:.1f}"


def span(start: float, end: float, duration: float) -> str:
    """`0.0–12.3 s of 12.3 s`."""
    return f"{seconds(start)}–{seconds(end)} s of {seconds(duration)} s"


def counted(number: int, noun: str) -> str:
    """`1 answer`, `2 answers`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def counts_table(title: str, counts: Mapping[str, int]) -> str:
    """How many of each name, those of none left out."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{count:,}</td></tr>" for name, count in counts.items() if count
    )
    body = rows or "<tr><td>nothing</td><td>0</td></tr>"
    head = f'<thead><tr><th scope="colgroup" colspan="2">{escape(title)}</th></tr></thead>'
    return f'<table class="numbers">{head}<tbody>{body}</tbody></table>'


def refusal_html(refusal: Exception) -> str:
    """Why a page stays closed, or what went wrong. A page that was only opened shows it as a hint, not as an
    error."""
    return (status if isinstance(refusal, LockedError) else fault)(str(refusal))
