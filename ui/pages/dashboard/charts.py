"""Matplotlib figures as SVG that takes the page's own ink, so that light and dark need one drawing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, PercentFormatter

# Colours that nothing else in a figure has, and what the page puts in their place.
INK, QUIET, LINE, GOOD, BAD = "#010101", "#020202", "#030303", "#040404", "#050505"
_INKS = {
    INK: "var(--ink)", QUIET: "var(--quiet)", LINE: "var(--line)", GOOD: "var(--accent)", BAD: "var(--bad)"
}  # fmt: skip

FEW = 10
"""Below so many ratings a group is drawn faint."""
_ROW = 0.3  # inch

_TEXT = 9  # pt


def over_time(days: pd.DataFrame) -> str:
    """Stacked bars of `by_day`."""
    with _figure("Ratings a day: good, bad, and without a thumb", 5.6, 2.0) as (axes, svg):
        bottom = np.zeros(len(days))
        for kind, colour in (("good", GOOD), ("bad", BAD), ("other", LINE)):
            counts = days[kind].to_numpy(dtype=float)
            axes.bar(
                days.index, counts, 0.8, bottom, color=colour, label=kind if kind != "other" else "no thumb"
            )
            bottom += counts
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(axis="y", color=LINE, linewidth=0.6)
        axes.margins(x=0.01)
        shown = pd.date_range(end=days.index[-1], periods=max(len(days), 7))  # or one bar would fill it
        marked = shown[:: -(-len(shown) // 7)]
        axes.set_xticks(marked, [f"{day:%-d %b}\n{day:%Y}" for day in marked])
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            borderaxespad=0.1,
            ncols=3,
            handlelength=0.8,
            frameon=False,
            labelcolor=INK,
            fontsize=_TEXT,
        )
    return svg[0]


def shares(groups: dict[str, pd.DataFrame]) -> str:
    """The share of good ratings with its interval, a row a group; tables of `by_group` under their names."""
    tables = {title: table[table["count"] > 0].to_dict("records") for title, table in groups.items()}
    lines = sum(1 + len(rows) for rows in tables.values())
    name = "Share of good ratings with 95 % intervals, by " + ", ".join(groups)
    with _figure(name, 4.4, 0.4 + _ROW * lines) as (axes, svg):
        places, labels, y = [], [], 0
        for title, rows in tables.items():
            _beside(axes, 0, y, title, color=INK, weight="bold")
            for row in rows:
                y += 1
                places.append(y)
                labels.append(row["group"])
                _interval(axes, y, row["good_low"], row["good"], row["good_high"], faint=row["count"] < FEW)
                _beside(axes, 1.02, y, f"n = {row['count']:,}")
            y += 1
        axes.set_yticks(places, labels)
        axes.set_ylim(lines - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    return svg[0]


def _votes(count: int) -> str:
    return f"{count:,} vote{'' if count == 1 else 's'}"


def strengths(table: pd.DataFrame) -> str:
    """Bradley-Terry strengths with their intervals."""
    with _figure("Bradley-Terry strengths with 95 % intervals", 3.4, 0.6 + _ROW * len(table)) as (axes, svg):
        for y, row in enumerate(table.to_dict("records")):
            _interval(axes, y, row["low"], row["strength"], row["high"], faint=row["votes"] < FEW)
            _beside(axes, 1.02, y, _votes(row["votes"]))
        axes.axvline(0, color=LINE, lw=1)
        axes.set_yticks(range(len(table)), table["contestant"])
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.set_xlabel("strength, log-odds", color=QUIET, size=_TEXT)
    return svg[0]


def _interval(axes: Axes, y: float, low: float, middle: float, high: float, *, faint: bool) -> None:
    alpha = 0.4 if faint else 1.0
    axes.plot([low, high], [y, y], color=GOOD, lw=2, alpha=alpha)
    axes.plot([middle], [y], "o", color=GOOD, ms=6, alpha=alpha)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=LINE, linewidth=0.6)


def _beside(axes: Axes, x: float, y: float, text: str, *, color: str = QUIET, weight: str = "normal") -> None:
    """A note at a fraction x of the axes' width, on the line of y."""
    axes.text(
        x, y, text, transform=axes.get_yaxis_transform(), va="center", color=color, weight=weight, size=_TEXT
    )


@contextmanager
def _figure(label: str, width: float, height: float) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on (inches); after the block the list holds the SVG. label: for who cannot see it."""
    done: list[str] = []
    figure = Figure(figsize=(width, height))
    axes = figure.add_subplot()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    axes.tick_params(color=LINE, labelcolor=QUIET, labelsize=_TEXT)
    axes.set_axisbelow(True)
    yield axes, done
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a name with a dollar is a name
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": label}):  # text as text; ids of its own
        figure.savefig(file, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    svg = re.sub(r"^.*?<svg ", f'<svg role="img" aria-label="{label}" ', file.getvalue(), count=1, flags=re.S)
    for colour, ink in _INKS.items():
        svg = svg.replace(colour, ink)
    done.append(f'<div class="chart">{svg}</div>')
