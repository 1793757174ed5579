"""What came of tuning, from the files in the checkpoint's folder, as HTML. Every text is escaped here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ui.components import messages
from ui.studio.tuning.tuned_checkpoints import Example, TunedCheckpoint

KINDS = {
    "comparison": "comparisons",
    "scores": "pairs by score",
    "correction": "corrections",
    "thumb": "thumbs",
    "tokens": "judged tokens",
    "spans": "marked spans",
}
FIGURES = {
    "transcription": "Word error rate (less is better)",
    "sound named": "Sounds named",
    "instrument named": "Instruments named",
    "questions": "Questions",
}
"""Of the public evaluation."""


def result_card(one: TunedCheckpoint) -> str:
    """Figures on held-out votes, what was kept of before, whether it is refused, and answers side by side."""
    refused = messages.fault(f"Refused. {one.refused}") if one.refused else ""
    body = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in _figures(one.record)
    )
    return (
        f'<div class="teach-result"><p><b>{escape(one.name)}</b></p>{refused}'
        f'<table class="numbers"><tbody>{body}</tbody></table>'
        f"{_evaluation(one.record.get('evaluation'))}{_side_by_side(one.examples())}</div>"
    )


def _figures(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    before, after = record.get("before") or {}, record.get("after") or {}
    if after:
        yield (
            "Held-out votes that what was learned agrees with",
            f"{after['right']} of {after['pairs']} ({share(after['accuracy'])}, "
            f"95 % {interval(after['interval'])})",
        )
        yield (
            "Preferred answer is the likelier one",
            f"{share(before['likelier_share'])} before, {share(after['likelier_share'])} after",
        )
    kept = record.get("kept") or {}
    if kept.get("questions"):
        low, high = kept["interval"]
        yield (
            "Questions with a known answer, right",
            f"{kept['right_before']} before, {kept['right_after']} after, of {kept['questions']} "
            f"(change {kept['change']:+.2f}, 95 % {low:+.2f} to {high:+.2f})",
        )
    counts = record.get("rows", {}).get("counts", {})
    learned = ", ".join(f"{count:,} {KINDS.get(kind, kind)}" for kind, count in counts.items())
    yield "Learned from", learned or "nothing"


def _evaluation(found: Mapping[str, Any] | None) -> str:
    """The public evaluation of the parent and of what was tuned from it."""
    if not found:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Public evaluation", "Before", "After"))
    rows = "".join(
        f"<tr><td>{escape(FIGURES.get(name, name))}</td><td>{_figure(before)}</td>"
        f"<td>{_figure(found['tuned'][name])}</td></tr>"
        for name, before in found["parent"].items()
        if name in found["tuned"]
    )
    return f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _figure(figure: Mapping[str, Any]) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.2f} ({low:.2f}–{high:.2f}), {figure['clips']:,} clips"


def _side_by_side(examples: Sequence[Example]) -> str:
    """Answers to held-out questions, those that changed first."""
    if not examples:
        return ""
    changed = [one for one in examples if one.before != one.after]
    rows = "".join(
        f"<tr><td>{escape(one.question)}</td><td>{escape(one.before)}</td><td>{escape(one.after)}</td></tr>"
        for one in (*changed, *(one for one in examples if one.before == one.after))
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Question", "Before", "After"))
    return (
        f"<details><summary>{messages.counted(len(examples), 'answer')} about held-out clips, before and "
        f"after: {len(changed)} changed</summary>"
        f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>'
    )


def share(value: float) -> str:
    return f"{value:.0%}"


def interval(edges: Sequence[float]) -> str:
    return f"{edges[0]:.0%} to {edges[1]:.0%}"
