"""Tables as HTML, and numbers as text."""

from __future__ import annotations

from html import escape

import pandas as pd


def table(rows: pd.DataFrame) -> str:
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in rows.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row) + "</tr>"
        for row in rows.itertuples(index=False)
    )
    return f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"


def interval(low: float, high: float) -> str:
    return "–" if pd.isna(low) else f"{low:.2f} to {high:.2f}"


def percent(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.0%}"


def percents(low: float, high: float) -> str:
    return "–" if pd.isna(low) else f"{low:.0%}–{high:.0%}"
