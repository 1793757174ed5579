"""Cards of the Dashboard: how far people agree with themselves, and whether SACLM's flags hold when people
listen."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

from storage.analysis.consistency import SelfConsistency
from ui.pages.dashboard.tables import percent, percents, table


def consistency(found: Sequence[SelfConsistency]) -> str:
    """How often a person judged an answer the same when it came twice."""
    if not found:
        return "<p class='hint'>No answer has been judged twice by one person yet.</p>"
    rows = pd.DataFrame(
        {
            "Judged": one.judged.replace("_", " ").capitalize(),
            "Repeats": one.repeats,
            "People": one.people,
            "Same": percent(one.share),
            "95 %": percents(one.low, one.high),
            "Within 1": "" if one.judged == "thumb" else percent(one.close / one.repeats),
        }
        for one in found
    )
    note = (
        "<p class='hint'>Of answers that came a second time on Annotate: how often the same person judged "
        "them the same. Read it beside the agreement between people.</p>"
    )
    return table(rows) + note


def redundancy(found: pd.DataFrame) -> str:
    """Of the tokens judged by ear, how many did not matter; a table of `flag_precision`."""
    if found.empty:
        return "<p class='hint'>No token has been judged by ear yet.</p>"
    parts = [_checkpoint(str(name), part) for name, part in found.groupby("checkpoint", sort=False)]
    note = (
        "<p class='hint'>Of flagged tokens this is the precision of SACLM's flags; kept ones, judged blind "
        "among them, are what it is compared with.</p>"
    )
    return "".join(parts) + note


def _checkpoint(name: str, found: pd.DataFrame) -> str:
    rows = pd.DataFrame(
        {
            "SACLM": "flagged" if row["flagged"] else "kept",
            "Tokens": f"{row['tokens']:,}",
            "Answers": f"{row['answers']:,}",
            "People": row["people"],
            "Did not matter": percent(row["share"]),
            "95 %": percents(row["low"], row["high"]) if row["tokens"] else "–",
        }
        for row in found.to_dict("records")
    )
    unclear = int(found["unclear"].sum())
    head = f"Checkpoint <code>{escape(name[:8])}</code>, {unclear:,} more unclear"
    return f"<p class='hint'>{head}</p>{table(rows)}"
