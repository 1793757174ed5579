"""What "What if" shows without a browser: choices, word diffs, figures, and texts that stay texts."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from matplotlib.collections import PathCollection

from ui.components import messages
from ui.inspector.payload import attribution_json
from ui.studio.session import SessionAnswer
from ui.what_if import render
from ui.what_if.choices import changes, intervention_of, name_of
from ui.what_if.deletion_chart import deletion_chart, deletion_figure
from ui.what_if.outcomes import Outcome
from ui.what_if.render import word_diff
from ui.what_if.selection import ViewerSelection
from usam.errors import RequestError
from usam.interpretability.attribution import Attribution, Word
from usam.interpretability.deletion import DeletionTest
from usam.interpretability.replay import Replay
from usam.schema.answer import Answer, ModelInfo, Timings
from usam.schema.interventions import DropRandom, DropSpan, ForceExpert, Intervention, ReadAll, Uniform
from usam.schema.trace import AudioToken, ClipSpan, Trace

EXPERTS = ("expert 1", "expert <b>2</b>")
HOSTILE = "<img src=x onerror=alert(1)> </p><script>alert(1)</script> \" '"
TEST = DeletionTest(-0.5, -0.6, (-1.0, -1.5), -3.0, 40, 12, HOSTILE, True, "question+answer")


def answer_of(text: str) -> Answer:
    return Answer(
        text=text,
        task="qa",
        question="What?",
        heard=ClipSpan(0.0, 0.08, 0.08, "0" * 64),
        trace=Trace(EXPERTS, (AudioToken(0.0, 0.08, 0, (0.5, 0.5), 0.5, 0.5, 0.5, 0.5, True),), "question"),
        timings=Timings(1.0, 0.1, 0.2, 0.3, 30.0, 2),
        model=ModelInfo("mini", "f" * 16, "nf4", "cpu", 1, 1.0),
        prompt="",
        seed=0,
    )


def outcome(before: str, after: str, **changes: Any) -> Outcome:
    return replace(Outcome("all experts equally", before, after, -0.25, 40, 10, 0.031), **changes)


def test_the_diff_tells_what_went_and_what_came() -> None:
    assert word_diff("a dog barks loudly", "a cat barks") == (
        "a <del>dog</del> <ins>cat</ins> barks <del>loudly</del>"
    )
    assert word_diff("", "a cat") == "<ins>a cat</ins>"
    assert "unchanged" in word_diff("a  dog", "a dog")


@pytest.mark.parametrize(
    "texts", [(HOSTILE, "x"), ("x", HOSTILE), (HOSTILE, HOSTILE), (f"x {HOSTILE}", HOSTILE)]
)
def test_no_text_becomes_markup(texts: tuple[str, str]) -> None:
    result = Replay(answer_of(texts[0]), answer_of(texts[1]))
    shown = [
        render.outcomes_table([outcome(*texts, name=HOSTILE)]),
        render.replay_verdict(result),
        render.deletion_figure(TEST),
        messages.working(HOSTILE, 0.5),
    ]
    for page in shown:
        assert "<script" not in page
        assert "<img src=x" not in page


def test_every_change_has_a_row_under_the_answer_as_it_was() -> None:
    rows = [outcome("a dog", "a cat"), outcome("a dog", "", name="only expert 1", tokens_dropped=40)]
    table = render.outcomes_table(rows)
    assert [table.index(text) for text in ("as it was", "only expert 1", "all experts equally")] == sorted(
        table.index(text) for text in ("as it was", "only expert 1", "all experts equally")
    )
    for text in ("−0.250 nats", "10 of 40 (25%)", "−0.03 s", "No audio was left"):
        assert text in table
    assert render.outcomes_table([]) == ""
    assert "0.000 nats" in render.outcomes_table([outcome("a", "a", logprob_change=-0.0001)])


def test_every_choice_is_an_intervention() -> None:
    trace = answer_of("").trace
    chosen = [intervention_of(value, (1.0, 2.5), 7) for _, value in changes(trace, (1.0, 2.5))]
    kinds = ["force-expert"] * 2 + ["uniform", "drop-redundant", "keep-redundant", "drop-random", "drop-span"]
    assert [change.kind for change in chosen] == kinds
    assert chosen[:2] == [ForceExpert(0), ForceExpert(1)]
    assert chosen[-2:] == [DropRandom(7), DropSpan(1.0, 2.5)]
    assert changes(trace, (1.0, 2.5))[-1][0] == "without 1.00–2.50\u00a0s"


def test_all_tokens_can_be_read_only_where_some_were_not() -> None:
    trace = answer_of("").trace
    assert "read-all" not in [value for _, value in changes(trace, None)]
    assert ("read all tokens", "read-all") in changes(replace(trace, pruned=True), None)
    assert intervention_of("read-all", None) == ReadAll()
    assert name_of(ReadAll(), EXPERTS) == "read all tokens"


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [("drop-span", "Drag over the picture"), (None, "Choose"), ("force-expert x", "Choose")],
)
def test_a_choice_that_cannot_be_made_is_reported(choice: str | None, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        intervention_of(choice, None)


@pytest.mark.parametrize(
    ("span", "threshold", "expected"),
    [
        ([1, 2.5], 0.3, ((1.0, 2.5), 0.3)),
        (None, 0, (None, 0.0)),
        ([2.0, 1.0], "0.5", (None, None)),
        ([1.0, math.inf], math.nan, (None, None)),
        (["1", 2], True, (None, None)),
        ({"0": 1, "1": 2}, [], (None, None)),
    ],
)
def test_the_browser_is_not_believed(span: Any, threshold: Any, expected: tuple[Any, Any]) -> None:
    selection = ViewerSelection.of(span, threshold)
    assert (selection.span, selection.threshold) == expected


def test_the_figure_has_a_row_for_every_condition_and_a_dot_for_every_measurement() -> None:
    axes = deletion_figure(TEST).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "all 40 tokens",
        "without 12 redundant",
        "without 12 random",
        "only 12 redundant",
    ]
    dots = [
        [tuple(place) for place in drawn.get_offsets().tolist()]
        for drawn in axes.collections
        if isinstance(drawn, PathCollection)
    ]
    assert dots == [[(-0.5, 0)], [(-0.6, 1)], [(-1.0, 2), (-1.5, 2)], [(-3.0, 3)]]
    assert deletion_chart(TEST, dark=True) != deletion_chart(TEST)


def test_differences_within_rounding_do_not_fill_the_figure() -> None:
    even = replace(TEST, drop_redundant=-0.501, drop_random=(-0.502, -0.5), keep_redundant=-0.499)
    low, high = deletion_figure(even).axes[0].get_xlim()
    assert high - low == pytest.approx(0.1)
    assert "Redundancy did no better than chance" in render.deletion_figure(even)


def test_the_verdict_is_the_command_lines_own() -> None:
    shown = render.deletion_figure(TEST)
    assert TEST.verdict() in shown
    assert shown.count("data:image/svg+xml;base64,") == 2
    assert "the stricter test" in shown


def test_a_replay_that_differs_shows_the_words() -> None:
    same = Replay(answer_of("a dog"), answer_of("a dog"))
    other = Replay(answer_of("a dog"), answer_of("a cat"))
    assert "<del>" not in render.replay_verdict(same)
    assert "good" in render.replay_verdict(same)
    assert "<del>dog</del> <ins>cat</ins>" in render.replay_verdict(other)
    assert "The answer is different" in render.replay_verdict(other)


def test_the_words_are_sent_with_a_number_a_token() -> None:
    answer = answer_of(HOSTILE)
    entry = SessionAnswer("key", answer, None, "")
    found = Attribution(answer, (Word(HOSTILE, 0, 3),), ((0.123456,),))
    assert json.loads(attribution_json(entry, found)) == {
        "key": "key",
        "words": [{"text": HOSTILE, "scores": [0.1235]}],
    }


def test_names_of_interventions_are_all_different() -> None:
    kinds = [Intervention(), Uniform(), ForceExpert(0), ForceExpert(1), DropRandom(1), DropSpan(0, 1)]
    names = [name_of(kind, EXPERTS) for kind in kinds]
    assert len(set(names)) == len(kinds)
