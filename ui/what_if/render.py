"""The results of an intervention, a deletion test and a replay, as HTML. Every text is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from ui.what_if.outcomes import Outcome, word_changes
from usam.interpretability.deletion import DeletionTest
from usam.interpretability.replay import Replay
from usam.schema.answer import Answer

_NO_WORDS = '<span class="hint">no words</span>'


def outcomes_table(rows: Sequence[Outcome]) -> str:
    """The answer as it was, and under it a row for every change, the latest first."""
    if not rows:
        return ""
    before = escape(rows[-1].before) or _NO_WORDS
    body = "".join(_row(outcome) for outcome in reversed(rows))
    return (
        '<table class="outcomes"><thead><tr><th scope="col">Change</th><th scope="col">Answer</th>'
        '<th scope="col">Likelihood of the first answer</th><th scope="col">Tokens dropped</th>'
        '<th scope="col">Reading time</th></tr></thead>'
        f'<tbody><tr class="before"><th scope="row">as it was</th><td class="words">{before}</td>'
        f"<td></td><td></td><td></td></tr>{body}</tbody></table>"
        '<p class="hint">Likelihood: by how many nats per token the first answer became more or less likely. '
        "Reading time: of the language model over the same text, measured once.</p>"
    )


def _row(outcome: Outcome) -> str:
    share = outcome.tokens_dropped / max(outcome.tokens, 1)
    dropped = (
        f"{outcome.tokens_dropped} of {outcome.tokens} ({share:.0%})" if outcome.tokens_dropped else "none"
    )
    note = "" if share < 1 else '<span class="hint">No audio was left.</span>'
    return (
        f'<tr><th scope="row">{escape(outcome.name)}</th>'
        f'<td class="words">{word_diff(outcome.before, outcome.after)} {note}</td>'
        f'<td data-label="Likelihood">{_signed(outcome.logprob_change, 3)} nats</td>'
        f'<td data-label="Dropped">{dropped}</td>'
        f'<td data-label="Reading">{_signed(-outcome.seconds_saved, 2)} s</td></tr>'
    )


def word_diff(before: str, after: str) -> str:
    """`word_changes` as HTML."""
    pieces = word_changes(before, after)
    if all(kind == "same" for kind, _ in pieces):
        words = " ".join(escape(words) for _, words in pieces)
        return f'{words or _NO_WORDS} <span class="same">unchanged</span>'
    return " ".join(
        escape(words) if kind == "same" else f"<{kind}>{escape(words)}</{kind}>" for kind, words in pieces
    )


def deletion_figure(result: DeletionTest) -> str:
    """The chart in both themes, and the verdict."""
    from ui.what_if.deletion_chart import deletion_chart  # imports matplotlib: not before it is needed

    verdict = escape(result.verdict())
    pictures = "".join(
        f'<img class="{name}" alt="{verdict}" src="data:image/svg+xml;base64,{picture}">'
        for name, picture in (
            (name, base64.b64encode(deletion_chart(result, dark=name == "night")).decode())
            for name in ("day", "night")
        )
    )
    of = "the reference" if result.reference_given else "the model's own answer"
    return (
        f'<figure class="deletion">{pictures}<figcaption><p>{verdict}</p>'
        f'<p class="hint">Log-probability of {of}, “{escape(result.reference)}”. The tokens were judged '
        f"under the {'question and answer' if result.supervised_by == 'question+answer' else 'question'}"
        ", so a reference of your own is the stricter test.</p></figcaption></figure>"
    )


def replay_verdict(result: Replay) -> str:
    """The verdict and, where the answer is another one, the words that changed."""
    same = "good" if result.same_answer and result.same_routing else "other"
    words = word_diff(result.recorded.text, result.answer.text)
    diff = "" if result.same_answer else f'<p class="words">{words}</p>'
    return f'<div class="replayed {same}"><p>{escape(result.verdict())}</p>{diff}</div>'


def other_answer(before: Answer, after: Answer) -> str:
    """Another model's answer, and the size of both models."""
    one, two = before.model, after.model
    beside = f"{one.preset}, {one.quantization}, with {one.memory_mb:.0f} MB"
    sizes = (
        f"{two.preset}, {two.quantization}: {two.memory_mb:.0f} MB of weights, loaded in "
        f"{after.timings.load_s:.1f} s beside {beside}, and unloaded again."
    )
    return (
        f'<div class="replayed good"><p class="words">{word_diff(before.text, after.text)}</p>'
        f'<p class="hint">{escape(sizes)} Both are compared in the picture.</p></div>'
    )


def _signed(value: float, digits: int) -> str:
    """With a true minus, and without a sign that only rounding left."""
    text = f"{value:+.{digits}f}"
    return text[1:] if not text.strip("+-0.") else text.replace("-", "−")
