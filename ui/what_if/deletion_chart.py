"""The figure of a deletion test: one line a condition, one dot a measurement."""

from __future__ import annotations

import io

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ui.inspector.palette import DARK, LIGHT
from ui.what_if.outcomes import conditions
from usam.interpretability.deletion import DeletionTest

_NARROWEST = 0.1
"""Nats per token: differences of some hundredths may be rounding, and must not look large."""


def deletion_chart(result: DeletionTest, *, dark: bool = False) -> bytes:
    """`deletion_figure` as SVG."""
    file = io.BytesIO()
    deletion_figure(result, dark=dark).savefig(file, format="svg")
    return file.getvalue()


def deletion_figure(result: DeletionTest, *, dark: bool = False) -> Figure:
    """On a transparent ground. Further to the right the reference is more likely."""
    palette = DARK if dark else LIGHT
    rows = conditions(result)
    figure = Figure(figsize=(7.2, 2.1))
    axes = figure.subplots()
    figure.subplots_adjust(left=0.245, right=0.98, top=0.97, bottom=0.26)
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    axes.axvline(result.all, color=palette.line, linewidth=1.2, linestyle=(0, (5, 3)), zorder=0)
    for place, (_, values, chance) in enumerate(rows):
        colour = palette.alarm if chance else palette.accent
        axes.hlines(place, min(result.all, *values), max(result.all, *values), palette.line, linewidth=1.2)
        # Single draws are hollow, and their mean is a bar: the random control that the rest is compared with.
        hollow = len(values) > 1
        face = "none" if hollow else colour
        axes.scatter(values, [place] * len(values), s=44, facecolors=face, edgecolors=colour, zorder=3)
        if hollow:
            mean = sum(values) / len(values)
            axes.vlines(mean, place - 0.32, place + 0.32, colour, linewidth=2, zorder=4)
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("log-probability, nats per token", color=palette.quiet, fontsize=10)
    low, high = min(v for _, vs, _ in rows for v in vs), max(v for _, vs, _ in rows for v in vs)
    margin = max(0.06 * (high - low), (_NARROWEST - (high - low)) / 2)
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.tick_params(axis="x", colors=palette.quiet, labelsize=9.5, length=3)
    axes.tick_params(axis="y", colors=palette.ink, labelsize=10.5, length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(palette.line)
    return figure
