"""What the Dashboard shows: tables and figures of all ratings and comparisons, as HTML."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from types import MappingProxyType

import pandas as pd

from storage import Feedback, StorageError
from storage.analysis.agreement import agreement
from storage.analysis.consistency import self_consistency
from storage.analysis.preference import Bias, biases, strengths, votes
from storage.analysis.ratings import by_day, by_group, by_level, ratings
from storage.analysis.redundancy import flag_precision
from ui.components import messages
from ui.pages.dashboard import charts
from ui.pages.dashboard.reliability import consistency, redundancy
from ui.pages.dashboard.tables import interval, number, percent, percents, table
from usam.schema.tasks import TASKS

CAVEAT = (
    "<p class='hint'>Lines are 95 % intervals; groups of fewer than ten ratings are faint. People choose "
    "what they rate, and groups differ in more than their name: a difference is a question, not a proof.</p>"
)


MOST_CHECKPOINTS = 4
"""Those with the most ratings, whose internals are drawn."""


def dashboard(
    feedback: Feedback, dimensions: Collection[str] = (), names: Mapping[str, str] = MappingProxyType({})
) -> str:
    """All cards as HTML, from one consistent look at the database. dimensions: what answers are scored on.
    names: of checkpoints, by fingerprint."""
    try:
        with feedback.database.read() as session:
            rated, cast, agreed = ratings(session), votes(session), agreement(session, dimensions)
            repeated, verdicts = self_consistency(session, dimensions=dimensions), flag_precision(session)
    except StorageError as error:
        return messages.fault(str(error))
    if rated.empty and cast.empty and verdicts.empty:
        return (
            '<div class="empty"><p>No ratings yet.</p><p class="hint">Rate an answer on the Studio page, or '
            "work through the queue on Annotate.</p></div>"
        )
    rated["checkpoint"] = [_checkpoint(fingerprint, names) for fingerprint in rated["checkpoint"]]
    cards = [_totals(rated, cast)]
    thumbs = bool((rated["thumb"].abs() == 1).any())
    if not rated.empty:
        cards += [_card("Over time", charts.over_time(by_day(rated)))]
        cards += [_card("By checkpoint", _by_checkpoint(rated))]
    if thumbs:
        cards += [_card("Ratings by what was asked", _by_question(rated))]
    cards += [_card("Agreement", _agreement(agreed)), _card("Own consistency", consistency(repeated))]
    if thumbs:
        cards += [_card("Ratings against internals", _by_internals(rated) + CAVEAT)]
    cards += [_card("Comparisons", _comparisons(cast)), _card("Redundancy by ear", redundancy(verdicts))]
    return f'<div class="board">{"".join(cards)}</div>'


def _card(title: str, body: str) -> str:
    return f'<section class="board-card"><h3>{title}</h3>{body}</section>'


def _totals(rated: pd.DataFrame, cast: pd.DataFrame) -> str:
    thumbs = rated["thumb"]
    good, bad, scores = int((thumbs == 1).sum()), int((thumbs == -1).sum()), rated["score"].dropna()
    cells = (
        ("Ratings", f"{len(rated):,}"),
        ("Good", f"{good / (good + bad):.0%}" if good + bad else "–"),
        ("Mean score", f"{scores.mean():.2f}" if len(scores) else "–"),
        ("Comparisons", f"{len(cast):,}"),
    )
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in cells)
    return f'<dl class="totals">{items}</dl>'


def _by_question(rated: pd.DataFrame) -> str:
    named = rated.assign(task=[TASKS[task].label if task in TASKS else task for task in rated["task"]])
    return charts.shares({"Task": by_group(named, "task"), "Quantisation": by_group(named, "quantization")})


def _checkpoint(fingerprint: str, names: Mapping[str, str]) -> str:
    name = names.get(fingerprint)
    return f"{name} ({fingerprint[:8]})" if name else fingerprint[:8]


def _by_checkpoint(rated: pd.DataFrame) -> str:
    groups = by_group(rated, "checkpoint").sort_values(["count", "scored"], ascending=False)
    rows = pd.DataFrame(
        {
            "Checkpoint": groups["group"],
            "Thumbs": groups["count"],
            "Good": groups["good"].map(percent),
            "95 %": [
                percents(low, high) for low, high in zip(groups["good_low"], groups["good_high"], strict=True)
            ],
            "Scores": groups["scored"],
            "Mean": groups["score"].map(number),
            "95 % ": [
                interval(low, high)
                for low, high in zip(groups["score_low"], groups["score_high"], strict=True)
            ],
        }
    )
    return table(rows)


def _by_internals(rated: pd.DataFrame) -> str:
    """Of each checkpoint by itself: their experts share nothing but their numbers."""
    largest = rated["checkpoint"].value_counts().index[:MOST_CHECKPOINTS]
    return "".join(_internals_of(name, rated[rated["checkpoint"] == name]) for name in largest)


def _internals_of(checkpoint: str, rated: pd.DataFrame) -> str:
    drawing = charts.shares(
        {
            "Dominant expert": by_group(rated, "dominant_expert"),
            "Router entropy": by_level(rated, "router_entropy"),
            "Redundant share": by_level(rated, "redundant_share"),
        }
    )
    return f"<p class='hint'>Checkpoint {escape(checkpoint)}</p>{drawing}"


def _agreement(agreed: pd.DataFrame) -> str:
    if agreed.empty:
        return "<p class='hint'>No answer has been judged by two people yet.</p>"
    rows = pd.DataFrame(
        {
            "Judged": agreed["judged"].str.replace("_", " ").str.capitalize(),
            "Answers": agreed["answers"],
            "People": agreed["people"],
            "α": agreed["alpha"].map(number),
            "95 %": [interval(row.low, row.high) for row in agreed.itertuples()],
        }
    )
    note = (
        "<p class='hint'>Krippendorff's α: 1 is perfect agreement, 0 that of chance; below 0.67 draw no "
        "conclusions.</p>"
    )
    return table(rows) + note


def _comparisons(cast: pd.DataFrame) -> str:
    if cast.empty:
        return "<p class='hint'>No two answers have been compared yet.</p>"
    ranked = strengths(cast)
    drawing = (
        charts.strengths(ranked)
        if len(ranked) > 1
        else "<p class='hint'>All compared answers were made the same way, so none can be ranked.</p>"
    )
    return drawing + table(pd.DataFrame([_bias(bias) for bias in biases(cast)]))


def _bias(bias: Bias) -> dict[str, object]:
    return {
        "Won by the": bias.name,
        "Votes": bias.count,
        "Share": f"{bias.share:.0%}" if bias.count else "–",
        "95 %": f"{bias.low:.0%}–{bias.high:.0%}" if bias.count else "–",
        "": "sways" if bias.count and not bias.low <= 0.5 <= bias.high else "",
    }
