"""The picture of one answer to publish: what was heard, which experts it was routed to, what was
redundant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch, Rectangle
from matplotlib.textpath import TextToPath

from ui.inspector.palette import DARK, EXPERT_COLOURS, LIGHT, Palette
from ui.inspector.payload import SUPERVISION
from ui.report.word_rows import WordLabel, word_rows
from usam.audio.samples import SAMPLE_RATE
from usam.audio.spectrogram import level_range, log_mel, mel_centres
from usam.schema.trace import Trace

if TYPE_CHECKING:
    from storage.annotation.spans import Span

_HATCH = "///"
_WIDTH, _HEIGHT = 8.0, 6.6  # inches, without words
_LEFT, _RIGHT = 0.085, 0.985  # of the width
_WORD_ROW = 0.19  # inches a row of words takes
_WORDS_FRAME = 0.5  # inches around the rows
_WORD_SIZE = 8  # points
_WORD_PADDING = 3.5  # points on either side of a word
_LETTER = 0.0095  # widths of the picture that a letter of a label takes
_CAPTION_SIZE = 9  # points
_CAPTION_LINE = _CAPTION_SIZE * 1.35 / 72  # inches
_CAPTION_FRAME = 0.15  # inches below the caption
_CAPTION_LETTERS = 100  # that fit in the width
_TICKS_HZ = (100, 250, 500, 1000, 2000, 4000, 7500)


def trace_figure(
    waveform: np.ndarray | torch.Tensor,
    sample_rate: int,
    start: float,
    trace: Trace,
    spans: Sequence[Span] = (),
    *,
    dark: bool = False,
    names: Sequence[str] = (),
    caption: Sequence[str] = (),
) -> Figure:
    """Spectrogram, routing and significance of the heard span on one time axis, in seconds of the clip.

    waveform: [samples], mono, 16 kHz, the heard span, which begins at `start` seconds of the clip.
    spans: what a person marked, which lies over the spectrogram.  names: of the experts, by default the
    trace's own.  caption: lines below the picture, each wrapped; a very long one is cut.
    Redundant tokens are hatched on the spectrogram or, of a trace that is pruned, those that were not read;
    tokens are drawn with their true edges. Words that the experts say lie above, coloured by expert.
    The figure stands alone, outside pyplot, so threads may draw at the same time.

    Raises ValueError: another sample rate than 16 kHz, or a trace without tokens.
    """
    if sample_rate != SAMPLE_RATE:
        raise ValueError(f"the picture is made at {SAMPLE_RATE} Hz, not {sample_rate} Hz")
    if not trace.tokens:
        raise ValueError("the trace has no tokens to draw")
    palette = DARK if dark else LIGHT
    first, last = trace.tokens[0].start, trace.tokens[-1].end
    words, rows = word_rows(trace, _width_in_seconds(last - first))
    lines = [line for text in caption for line in wrap(text, _CAPTION_LETTERS, max_lines=5, placeholder=" …")]
    below = _CAPTION_FRAME + len(lines) * _CAPTION_LINE if lines else 0.0
    tall = _HEIGHT + (_WORDS_FRAME + rows * _WORD_ROW if rows else 0) + below
    figure = Figure(figsize=(_WIDTH, tall), facecolor=palette.paper)
    # The words lie over the rest, which stays as large as without them.
    bottom, top = (0.085 * _HEIGHT + below) / tall, (0.89 * _HEIGHT + below) / tall
    grid = {"left": _LEFT, "right": _RIGHT, "bottom": bottom, "top": top}
    sound, routing, significance = figure.subplots(
        3,
        sharex=True,
        gridspec_kw={"height_ratios": (2.6, 1.2, 1.2), "hspace": 0.36, **grid},
        subplot_kw={"facecolor": palette.paper},
    )
    edges = np.array([token.start for token in trace.tokens] + [trace.tokens[-1].end])

    _draw_sound(sound, torch.as_tensor(waveform), start, palette)
    _draw_hatching(sound, trace, palette)
    short = [name.replace(", mostly ", ": ") for name in names or trace.experts]  # three fit beside the title
    _draw_routing(routing, edges, trace, short)
    _draw_significance(significance, edges, trace, palette)
    for axes in (sound, routing, significance):
        _dress(axes, palette)
    sound.set_xlim(edges[0], edges[-1])
    if rows:
        bottom, height = grid["top"] + 0.4 / tall, rows * _WORD_ROW / tall
        lane = figure.add_axes((_LEFT, bottom, _RIGHT - _LEFT, height), sharex=sound, facecolor=palette.paper)
        _draw_words(lane, words, rows, trace, palette)
    _draw_spans(sound, spans, palette)
    significance.set_xlabel("Seconds of the clip", color=palette.quiet, fontsize=10)
    _name(figure, sound, routing, significance, trace, palette)
    if lines:
        figure.text(
            _LEFT,
            below / tall,
            "\n".join(lines),
            va="top",
            fontsize=_CAPTION_SIZE,
            linespacing=1.35,
            color=palette.ink,
            parse_math=False,  # people and the model wrote it: `$` must not start a formula
        )
    return figure


def hatched_runs(trace: Trace) -> list[tuple[float, float]]:
    """Start and end, in seconds, of each unbroken run of redundant tokens or, of a trace that is pruned, of
    those that were not read."""
    runs = []
    for hatched, group in groupby(trace.tokens, key=lambda t: t.dropped if trace.pruned else t.redundant):
        tokens = list(group)
        if hatched:
            runs.append((tokens[0].start, tokens[-1].end))
    return runs


def _draw_sound(axes: Axes, waveform: torch.Tensor, start: float, palette: Palette) -> None:
    """Mel bands are evenly spaced, so the axis is the mel scale: near to logarithmic, labelled in Hz."""
    picture = log_mel(waveform)
    bands, frames = picture.shape
    low, high = level_range(picture)
    axes.imshow(
        picture.numpy(),
        cmap=LinearSegmentedColormap.from_list("sound", palette.sound),
        vmin=low,
        vmax=high,
        extent=(start, start + frames / 100, 0, bands),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    heights = np.interp(_TICKS_HZ, mel_centres(bands), np.arange(bands) + 0.5)
    axes.set_yticks(heights, [f"{hertz / 1000:g}k" if hertz >= 1000 else f"{hertz}" for hertz in _TICKS_HZ])


def _draw_hatching(axes: Axes, trace: Trace, palette: Palette) -> None:
    axes.broken_barh(
        [(start, end - start) for start, end in hatched_runs(trace)],
        (0, axes.get_ylim()[1]),
        facecolor=palette.veil,
        edgecolor=palette.hatch,
        hatch=_HATCH,
        linewidth=0.0,
    )


def _draw_spans(axes: Axes, spans: Sequence[Span], palette: Palette) -> None:
    """As on the page: a veil between two lines, with the label at its top, labels that would cover each other
    in rows."""
    first, last = axes.get_xlim()
    ends: list[float] = []  # of each row's last label
    for span in spans:
        axes.axvspan(span.start, span.end, facecolor=palette.mark, alpha=0.15, linewidth=0)
        for edge in (span.start, span.end):
            axes.axvline(edge, color=palette.mark, linewidth=1.4)
        label = span.label.replace("_", " ")
        width = (last - first) * _LETTER * (len(label) + 2)
        left = max(min(span.start, last - width), first)
        row = next((row for row, end in enumerate(ends) if end <= left), len(ends))
        ends[row : row + 1] = [left + width]
        axes.annotate(
            label,
            (left, 1),
            xycoords=("data", "axes fraction"),
            xytext=(2, -2 - 13 * row),
            textcoords="offset points",
            va="top",
            fontsize=8,
            color=palette.paper,
            bbox={"boxstyle": "square,pad=0.25", "facecolor": palette.mark, "linewidth": 0},
        )


def _width_in_seconds(seconds: float) -> Callable[[str], float]:
    """How long a word's chip is on a picture of so many seconds."""
    font = FontProperties(size=_WORD_SIZE)
    shapes = TextToPath()
    points = _WIDTH * (_RIGHT - _LEFT) * 72

    @cache
    def width(label: str) -> float:
        letters, _, _ = shapes.get_text_width_height_descent(label, font, ismath=False)
        return (letters + 2 * _WORD_PADDING) * seconds / points

    return width


def _draw_words(axes: Axes, words: Sequence[WordLabel], rows: int, trace: Trace, palette: Palette) -> None:
    """As on the page: a tick for every word, and the text where there is room; the less sure the fainter."""
    spare = _WORD_PADDING * (trace.tokens[-1].end - trace.tokens[0].start) / (_WIDTH * (_RIGHT - _LEFT) * 72)
    width_of = _width_in_seconds(trace.tokens[-1].end - trace.tokens[0].start)
    for word in words:
        colour = EXPERT_COLOURS[word.expert % len(EXPERT_COLOURS)]
        if word.row is None:
            continue
        box: dict[str, Any] = {"facecolor": colour, "linewidth": 0}
        bottom = rows - 1 - word.row + 0.1
        axes.add_patch(
            Rectangle(
                (word.left, bottom), width_of(word.label), 0.8, alpha=0.12 + 0.28 * word.confidence, **box
            )
        )
        axes.add_patch(
            Rectangle((word.left, bottom), spare / 3, 0.8, alpha=0.35 + 0.65 * word.confidence, **box)
        )
        axes.text(
            word.left + spare,
            bottom + 0.4,
            word.label,
            va="center_baseline",
            fontsize=_WORD_SIZE,
            color=palette.ink,
            alpha=0.7 + 0.3 * word.confidence,
            clip_on=True,
            parse_math=False,  # the word comes from the model: `$` must not start a formula
        )
    for expert in sorted({word.expert for word in words}):
        times = [word.time for word in words if word.expert == expert]
        colour = EXPERT_COLOURS[expert % len(EXPERT_COLOURS)]
        axes.plot(times, [0.01] * len(times), "|", color=colour, markersize=5, clip_on=False)
    axes.set_ylim(0, rows)
    axes.set_yticks(())
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    for side in axes.spines.values():
        side.set_color(palette.line)
    axes.set_title("Words that the experts say", loc="left", fontsize=10.5, color=palette.ink, pad=6)


def _draw_routing(axes: Axes, edges: np.ndarray, trace: Trace, names: Sequence[str]) -> None:
    tops = np.cumsum([token.routing for token in trace.tokens], axis=1).T
    floor = np.zeros(len(trace.tokens))
    for expert, (name, top) in enumerate(zip(names, tops, strict=True)):
        colour = EXPERT_COLOURS[expert % len(EXPERT_COLOURS)]
        axes.stairs(top, edges, baseline=floor, fill=True, facecolor=colour, linewidth=0, label=name)
        floor = top
    axes.set_ylim(0, 1)
    axes.set_yticks((0, 0.5, 1))


def _draw_significance(axes: Axes, edges: np.ndarray, trace: Trace, palette: Palette) -> None:
    values = np.array([token.significance for token in trace.tokens])
    axes.stairs(values, edges, baseline=0, fill=True, facecolor=palette.line, alpha=0.5, linewidth=0)
    axes.stairs(values, edges, baseline=None, edgecolor=palette.ink, linewidth=1.4)
    axes.axhline(trace.threshold, color=palette.alarm, linewidth=1.4, linestyle=(0, (5, 3)))
    axes.set_ylim(0, 1)
    axes.set_yticks((0, 0.5, 1))


def _dress(axes: Axes, palette: Palette) -> None:
    axes.tick_params(colors=palette.quiet, labelsize=10, length=3)
    for side in axes.spines.values():
        side.set_color(palette.line)


def _name(
    figure: Figure, sound: Axes, routing: Axes, significance: Axes, trace: Trace, palette: Palette
) -> None:
    """Titles and legend. Where redundant tokens are not read, it is those that were not that are hatched."""
    total = len(trace.tokens)
    number = trace.tokens_dropped if trace.pruned else sum(token.redundant for token in trace.tokens)
    tokens = f"{number} of {total} audio tokens" if total > 1 else f"{number} of 1 audio token"
    verb = "are" if total > 1 else "is"
    scored = f"{tokens} {verb} redundant, scored under {SUPERVISION[trace.supervised_by]}"
    figure.suptitle(
        f"The language model did not read {tokens}" if trace.pruned else scored,
        x=_LEFT,
        ha="left",
        y=1 - 0.13 / figure.get_figheight(),
        fontsize=11.5,
        fontweight="bold",
        color=palette.ink,
    )
    names = (
        (sound, "Mel spectrogram (Hz)"),
        (routing, "Routing weights"),
        (significance, "Significance of each token"),
    )
    for axes, name in names:
        axes.set_title(name, loc="left", fontsize=10.5, color=palette.ink, pad=6)
    hatched = Patch(
        facecolor=palette.paper,
        edgecolor=palette.hatch,
        hatch=_HATCH,
        label="not read" if trace.pruned else "redundant",
    )
    experts, _ = routing.get_legend_handles_labels()
    for axes, handles in ((sound, [hatched]), (routing, experts)):
        axes.legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=len(handles),
            frameon=False,
            fontsize=10,
            labelcolor=palette.ink,
            borderaxespad=0,
            borderpad=0.3,
            handlelength=1.4,
            columnspacing=1.2,
        )
    significance.annotate(
        f"redundant up to {trace.threshold:g}",
        (1, 1),
        xytext=(0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        fontsize=10,
        color=palette.alarm,
    )
