"""What came of an intervention, of a deletion test and of a replay, as HTML. Every text is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from html import escape
from typing import Any

from usam.interpretability.deletion import DeletionTest
from usam.interpretability.intervention import InterventionResult
from usam.interpretability.replay import Replay
from usam.schema.answer import Answer
from usam.schema.interventions import DropRandom, DropSpan, ForceExpert, Intervention

_NAMES = {
    "none": "as it was",
    "uniform": "all experts alike",
    "drop-redundant": "without redundant tokens",
    "keep-redundant": "only redundant tokens",
    "drop-random": "without as many at random",
    "drop-span": "without a painted span",
}
_NOTHING_SAID = '<span class="hint">nothing was said</span>'


@dataclass(frozen=True)
class Outcome:
    """One row of the table: what was changed, and what became of the answer.

    logprob_change: of the answer before, nats per token.  seconds_saved: of reading prompt, audio and answer.
    threshold: that tokens were redundant by.
    """

    name: str
    before: str
    after: str
    logprob_change: float
    tokens: int
    tokens_dropped: int
    seconds_saved: float
    intervention: Intervention = field(default_factory=Intervention)
    threshold: float = 0.5

    def to_json(self) -> dict[str, Any]:
        left_out = ("name", "before", "after")
        record = {name: value for name, value in asdict(self).items() if name not in left_out}
        return {"answer": self.after, **record}


def name_of(intervention: Intervention, experts: Sequence[str]) -> str:
    """The change in words, as a choice and as the head of a row."""
    if isinstance(intervention, ForceExpert):
        return f"only {experts[intervention.expert]}"
    if isinstance(intervention, DropSpan):
        return f"without {intervention.start:.2f}–{intervention.end:.2f}\u00a0s"
    return _NAMES[intervention.kind]


def outcome_of(result: InterventionResult) -> Outcome:
    answer, intervention = result.answer, result.answer.intervention
    draw = f", draw {intervention.seed}" if isinstance(intervention, DropRandom) else ""
    return Outcome(
        name=name_of(intervention, answer.trace.experts) + draw,
        before=result.baseline.text,
        after=answer.text,
        logprob_change=result.logprob_change,
        tokens=len(answer.trace.tokens),
        tokens_dropped=answer.trace.tokens_dropped,
        seconds_saved=result.seconds_saved,
        intervention=intervention,
        threshold=result.baseline.trace.threshold,
    )


def outcomes(rows: Sequence[Outcome]) -> str:
    """The answer as it was, and under it a row for every change, the latest first."""
    if not rows:
        return ""
    before = escape(rows[-1].before) or _NOTHING_SAID
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
    unheard = "" if share < 1 else '<span class="hint">Nothing was left to hear.</span>'
    return (
        f'<tr><th scope="row">{escape(outcome.name)}</th>'
        f'<td class="words">{word_diff(outcome.before, outcome.after)} {unheard}</td>'
        f'<td data-label="Likelihood">{_signed(outcome.logprob_change, 3)} nats</td>'
        f'<td data-label="Dropped">{dropped}</td>'
        f'<td data-label="Reading">{_signed(-outcome.seconds_saved, 2)} s</td></tr>'
    )


def word_changes(before: str, after: str) -> list[tuple[str, str]]:
    """The words of both texts in one line, in pieces: `del` for those that went, `ins` for those that came,
    `same` for the rest."""
    old, new = before.split(), after.split()
    pieces = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", " ".join(new[k:m])))
        else:
            pieces += [("del", " ".join(old[i:j]))] * (j > i) + [("ins", " ".join(new[k:m]))] * (m > k)
    return pieces


def word_diff(before: str, after: str) -> str:
    """`word_changes` as HTML."""
    pieces = word_changes(before, after)
    if all(kind == "same" for kind, _ in pieces):
        words = " ".join(escape(words) for _, words in pieces)
        return f'{words or _NOTHING_SAID} <span class="same">unchanged</span>'
    return " ".join(
        escape(words) if kind == "same" else f"<{kind}>{escape(words)}</{kind}>" for kind, words in pieces
    )


def conditions(result: DeletionTest) -> list[tuple[str, tuple[float, ...], bool]]:
    """Of a deletion test: each condition in words, what was measured, and whether it is the chance that the
    others are held against."""
    dropped = result.tokens_dropped
    return [
        (f"all {result.tokens} tokens", (result.all,), False),
        (f"without {dropped} redundant", (result.drop_redundant,), False),
        (f"without {dropped} random", result.drop_random, True),
        (f"only {dropped} redundant", (result.keep_redundant,), False),
    ]


def deletion(result: DeletionTest) -> str:
    """The figure by day and by night, and the verdict in words."""
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


def replayed(result: Replay) -> str:
    """The verdict and, where the answer is another one, the words that changed."""
    same = "good" if result.same_answer and result.same_routing else "other"
    words = word_diff(result.recorded.text, result.answer.text)
    diff = "" if result.same_answer else f'<p class="words">{words}</p>'
    return f'<div class="replayed {same}"><p>{escape(result.verdict())}</p>{diff}</div>'


def othered(before: Answer, after: Answer) -> str:
    """What another model said, and how large both are."""
    one, two = before.model, after.model
    beside = f"{one.preset}, {one.quantization}, with {one.memory_mb:.0f} MB"
    sizes = (
        f"{two.preset}, {two.quantization}: {two.memory_mb:.0f} MB of weights, loaded in "
        f"{after.timings.load_s:.1f} s beside {beside}, and let go again."
    )
    return (
        f'<div class="replayed good"><p class="words">{word_diff(before.text, after.text)}</p>'
        f'<p class="hint">{escape(sizes)} Both are held against each other in the picture.</p></div>'
    )


def _signed(value: float, digits: int) -> str:
    """With a true minus, and without a sign that only rounding left."""
    text = f"{value:+.{digits}f}"
    return text[1:] if not text.strip("+-0.") else text.replace("-", "−")
