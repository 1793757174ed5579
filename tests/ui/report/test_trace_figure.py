"""The inspector's picture: drawn edges, runs and texts are the trace's own."""

import io
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Text

from storage.annotation.spans import Span
from ui.report.trace_figure import EXPERT_COLOURS, hatched_runs, trace_figure
from usam.audio.samples import SAMPLE_RATE
from usam.schema.trace import AudioToken, Supervision, TokenWord, Trace

TOKEN_SECONDS = 0.08


def trace_of(
    redundant: list[bool],
    start: float = 0.0,
    last: float = TOKEN_SECONDS,
    supervised: Supervision = "question",
) -> Trace:
    """Tokens of 80 ms from `start` on, the last one of `last` seconds; routing differs between tokens."""
    count = len(redundant)
    edges = [start + index * TOKEN_SECONDS for index in range(count)]
    edges.append(edges[-1] + last)
    tokens = []
    for index, flag in enumerate(redundant):
        share = (index % 10) / 10
        tokens.append(
            AudioToken(
                start=edges[index],
                end=edges[index + 1],
                window=index // 4,
                routing=(share, (1 - share) / 4, 3 * (1 - share) / 4),
                significance=0.3 if flag else 0.8,
                predictive=0.5,
                text_relevance=0.5,
                audio_saliency=0.5,
                redundant=flag,
            )
        )
    return Trace(("expert 1", "expert 2", "expert 3"), tuple(tokens), supervised)


def draw(trace: Trace, **options: Any) -> Figure:
    first, last = trace.tokens[0].start, trace.tokens[-1].end
    seconds = np.arange(round((last - first) * SAMPLE_RATE)) / SAMPLE_RATE
    waveform = 0.3 * np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    return trace_figure(waveform, SAMPLE_RATE, first, trace, **options)


def steps(axes: Axes) -> list[StepPatch]:
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def hatched(figure: Figure) -> list[tuple[float, float]]:
    (runs,) = [
        item for item in figure.axes[0].collections if isinstance(item, PolyCollection) and item.get_hatch()
    ]
    return [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in runs.get_paths()]


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in [*figure.texts, *(figure.axes[2].texts)])


MANY = [index % 7 < 3 for index in range(400)]


@pytest.mark.parametrize("redundant", [[True], [False], [False, True, True, False, True], MANY])
@pytest.mark.parametrize("dark", [False, True])
def test_edges_and_runs_are_drawn_where_they_are(redundant: list[bool], dark: bool) -> None:
    trace = trace_of(redundant, start=12.0, last=0.03)
    figure = draw(trace, dark=dark)
    edges = [token.start for token in trace.tokens] + [trace.tokens[-1].end]
    sound, routing, significance = figure.axes
    for axes in (routing, significance):
        assert steps(axes)
        for patch in steps(axes):
            assert patch.get_data().edges == pytest.approx(edges)
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert sound.get_xlim() == pytest.approx((12.0, edges[-1]))
    (picture,) = sound.images
    left, right, *_ = picture.get_extent()
    assert left == 12.0
    assert edges[-1] <= right < edges[-1] + 0.011
    runs = hatched_runs(trace)
    assert hatched(figure) == [pytest.approx(run) for run in runs]
    png = io.BytesIO()
    figure.savefig(png, dpi=72)
    assert png.getvalue().startswith(b"\x89PNG")


def test_adjacent_redundant_tokens_are_one_run() -> None:
    runs = hatched_runs(trace_of([True, True, False, True]))
    assert runs == [pytest.approx((0.0, 0.16)), pytest.approx((0.24, 0.32))]


def test_routing_is_stacked_up_to_one_in_the_experts_colours() -> None:
    trace = trace_of(MANY)
    bands = steps(draw(trace).axes[1])
    assert [band.get_label() for band in bands] == list(trace.experts)
    assert len({band.get_facecolor() for band in bands}) == 3
    floor = np.zeros(len(trace.tokens))
    for expert, band in enumerate(bands):
        assert np.asarray(band.get_data().baseline) == pytest.approx(floor)
        shares = np.asarray(band.get_data().values) - floor
        assert shares == pytest.approx([token.routing[expert] for token in trace.tokens], abs=1e-9)
        floor = np.asarray(band.get_data().values)
    assert floor == pytest.approx(np.ones(len(trace.tokens)))


def test_legend_names_experts_and_redundancy() -> None:
    sound, routing, _ = draw(trace_of([True, False])).axes
    assert [text.get_text() for text in routing.get_legend().get_texts()] == [
        "expert 1",
        "expert 2",
        "expert 3",
    ]
    assert [text.get_text() for text in sound.get_legend().get_texts()] == ["redundant"]


@pytest.mark.parametrize(
    ("supervised", "title"),
    [
        ("question", "scored under the question"),
        ("question+answer", "scored under the question and answer"),
    ],
)
def test_the_title_says_what_supervised_the_redundancy(supervised: Supervision, title: str) -> None:
    figure = draw(trace_of([True, False, True], supervised=supervised))
    assert figure.get_suptitle() == f"2 of 3 audio tokens are redundant, {title}"


@pytest.mark.parametrize("dark", [False, True])
def test_the_longest_title_and_the_legend_fit(dark: bool) -> None:
    figure = draw(trace_of([True] * 375, supervised="question+answer"), dark=dark)
    figure.draw_without_rendering()
    width = figure.bbox.width
    for text in [
        *figure.texts,
        *(text for axes in figure.axes[:2] for text in axes.get_legend().get_texts()),
    ]:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= width


def test_a_caption_says_what_was_asked_and_lies_below_everything() -> None:
    caption = (
        "Question: what costs $5 and $6?",
        "Answer: " + "a very long answer " * 60,
        "Dog, 0.0–1.0 s. mini",
    )
    names = [f"expert {number}, mostly speech" for number in (1, 2, 3)]
    figure = draw(trace_of([True, False] * 20), caption=caption, names=names)
    figure.draw_without_rendering()
    text = next(text for text in figure.texts if "Question" in text.get_text())
    lines = text.get_text().split("\n")
    assert lines[0] == caption[0]
    assert lines[-1] == caption[2]
    assert lines[-2].endswith(" …")
    box = text.get_window_extent()
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.x1
    *_, lowest = figure.axes[:3]
    assert box.y1 <= lowest.get_tightbbox().y0
    routing = figure.axes[1]
    legend = routing.get_legend()
    assert next(label.get_text() for label in legend.get_texts()) == "expert 1: speech"
    (title,) = routing.findobj(lambda part: isinstance(part, Text) and "Routing" in part.get_text())
    assert title.get_window_extent().x1 <= legend.get_window_extent().x0


def test_the_threshold_is_drawn() -> None:
    figure = draw(trace_of([True, False]))
    (line,) = figure.axes[2].lines
    assert list(line.get_ydata()) == [0.5, 0.5]
    assert "0.5" in words(figure)


@pytest.mark.parametrize("dark", [False, True])
def test_marked_spans_are_drawn_where_they_are_and_labels_cover_nothing(dark: bool) -> None:
    trace = trace_of([False] * 40)
    first, last = trace.tokens[0].start, trace.tokens[-1].end
    ends = [(first, first + 0.2), (first + 0.1, first + 0.4), (last - 0.1, last)]
    labels = ("missed", "did_matter", "another_one")
    spans = [
        Span("id", "answer", start, end, label, None, 1, datetime.now(UTC), datetime.now(UTC))
        for (start, end), label in zip(ends, labels, strict=True)
    ]
    figure = draw(trace, spans=spans, dark=dark)
    figure.savefig(io.BytesIO(), dpi=100)
    sound = figure.axes[0]
    drawn = [patch for patch in sound.patches if isinstance(patch, Rectangle)]
    assert [patch.get_x() for patch in drawn] == pytest.approx([start for start, _ in ends])
    assert [patch.get_width() for patch in drawn] == pytest.approx([end - start for start, end in ends])
    chips = [text.get_window_extent() for text in sound.texts]
    assert [text.get_text() for text in sound.texts] == ["missed", "did matter", "another one"]
    assert not any(a.overlaps(b) for a, b in combinations(chips, 2))
    frame = sound.get_window_extent()
    assert all(frame.x0 <= chip.x0 and chip.x1 <= frame.x1 for chip in chips)
    assert sound.get_xlim() == pytest.approx((first, last))


def test_frequencies_are_labelled_in_hertz() -> None:
    axes = draw(trace_of([False] * 12)).axes[0]
    (picture,) = axes.images
    strongest = int(np.asarray(picture.get_array())[:, 48].argmax()) + 0.5
    ticks = dict(zip((tick.get_text() for tick in axes.get_yticklabels()), axes.get_yticks(), strict=True))
    assert ticks["250"] < strongest < ticks["500"]  # the tone of 440 Hz
    assert ticks["4k"] < ticks["7.5k"] < axes.get_ylim()[1]


def test_a_silent_clip_looks_silent() -> None:
    trace = trace_of([True] * 10)
    (picture,) = trace_figure(np.zeros(12_800, np.float32), SAMPLE_RATE, 0.0, trace).axes[0].images
    low, high = picture.get_clim()
    assert np.asarray(picture.get_array()).max() <= low < high


def test_another_sample_rate_or_an_empty_trace_is_refused() -> None:
    trace = trace_of([True])
    with pytest.raises(ValueError, match="8000 Hz"):
        trace_figure(np.zeros(800, np.float32), 8000, 0.0, trace)
    with pytest.raises(ValueError, match="no tokens"):
        trace_figure(np.zeros(800, np.float32), SAMPLE_RATE, 0.0, Trace(trace.experts, (), "question"))


def test_colours_are_distinct() -> None:
    assert len(set(EXPERT_COLOURS)) == len(EXPERT_COLOURS) >= 3


def spoken(trace: Trace, words: dict[int, list[TokenWord]]) -> Trace:
    """The same trace with words of the experts at some tokens."""
    tokens = [replace(token, words=tuple(words.get(i, ()))) for i, token in enumerate(trace.tokens)]
    return replace(trace, tokens=tuple(tokens))


def test_words_of_the_experts_are_drawn_where_they_begin_and_cover_nothing() -> None:
    words = {
        i: [TokenWord("expert 1", f"word{i}", (i % 10) / 10), TokenWord("expert 3", "Dog, far away", 0.5)]
        for i in range(0, 100, 3)
    }
    trace = spoken(trace_of([False] * 100, start=2.0), words)
    figure = draw(trace)
    figure.savefig(io.BytesIO(), dpi=100)
    sound, _, _, lane = figure.axes
    assert lane.get_xlim() == sound.get_xlim()
    chips = [patch.get_window_extent() for patch in lane.patches if patch.get_width() > 0.1]
    assert len(chips) == len(lane.texts) > 10
    assert not any(
        a.overlaps(b) for a, b in combinations([text.get_window_extent() for text in lane.texts], 2)
    )
    frame = lane.get_window_extent()
    assert all(frame.x0 <= chip.x0 and chip.x1 <= frame.x1 + 1 for chip in chips)
    starts = {f"word{i}": trace.tokens[i].start for i in words}
    for text in lane.texts:
        if text.get_text() in starts and text.get_text() != "word99":
            assert text.get_position()[0] == pytest.approx(starts[text.get_text()], abs=0.06)
    ticks = sorted(time for line in lane.lines for time in line.get_xdata())
    assert ticks == pytest.approx(sorted(2 * list(starts.values())))
    assert len(draw(trace_of([False] * 100)).axes) == 3


def test_a_word_is_neither_a_formula_nor_markup() -> None:
    hostile = "$x^2 <b>&--> \\frac"
    figure = draw(spoken(trace_of([False] * 100), {5: [TokenWord("expert 2", hostile, 0.9)]}))
    svg = io.BytesIO()
    figure.savefig(svg, format="svg")
    assert [text.get_text() for text in figure.axes[3].texts] == [hostile]
    tree = ElementTree.fromstring(svg.getvalue())
    assert "frac" not in "".join(tree.itertext())


def test_of_a_pruned_trace_what_was_not_read_is_hatched() -> None:
    trace = trace_of([True, False, True, False])
    tokens = tuple(replace(token, dropped=i < 2) for i, token in enumerate(trace.tokens))
    trace = replace(trace, tokens=tokens, pruned=True)
    figure = draw(trace)
    assert hatched(figure) == [pytest.approx((0.0, 0.16))]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["not read"]
    assert figure.get_suptitle() == "The language model did not read 2 of 4 audio tokens"
