"""One answer as a page that opens offline: sound, picture, words and rating in one file, still interactive.

Whatever a person or the model wrote is in a block of JSON that the browser does not run, and is written into
the page as text. The policy in the head lets no script run but the one that is named by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.inspector.payload import MeasuredOf, as_json, attribution_json, nothing_measured, viewer_json
from ui.studio.session import SessionAnswer
from ui.viewer.assets import asset, script, style
from ui.what_if.outcomes import conditions, word_changes
from usam.schema.tasks import TASKS

if TYPE_CHECKING:
    from storage.annotation.spans import Span
    from storage.ratings.results import Rating
    from ui.what_if.findings import Findings
    from ui.what_if.outcomes import Outcome
    from usam.interpretability.deletion import DeletionTest

_FOLDER = Path(__file__).parent
_THUMBS = {1: "good", -1: "bad"}


def offline_page(
    entry: SessionAnswer,
    rating: Rating | None = None,
    found: Findings | None = None,
    spans: Sequence[Span] = (),
    measured_of: MeasuredOf = nothing_measured,
) -> str:
    """The whole page as HTML, with what was found out about the answer and marked in its clip."""
    code = script(_FOLDER / "report.js")
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'"
    attribution = attribution_json(entry, found.words if found else None) or "null"
    alone = replace(entry, answer_id=None, source="")  # the page may be passed on, the link not
    sheet = f"{_own('report.css')}\n#page {{\n{style()}\n}}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>U-SAM</title>
<style>
{sheet}
</style>
</head>
<body>
<main id="page">
{_own("report.html")}
<div class="card">
{asset("template.html")}
</div>
{_own("tried.html")}
</main>
<script type="application/json" id="report">{as_json(report_of(entry, rating, found, spans))}</script>
<script type="application/json" id="trace">{viewer_json(alone, measured_of=measured_of)}</script>
<script type="application/json" id="leaning">{attribution}</script>
<script>{code}</script>
</body>
</html>
"""


def report_of(
    entry: SessionAnswer, rating: Rating | None, found: Findings | None = None, spans: Sequence[Span] = ()
) -> dict[str, Any]:
    """The words around the picture: the conversation, facts as pairs of a name and a text, what was tried,
    and the spans marked in it."""
    answer = entry.answer
    heard, model = answer.heard, answer.model
    facts = [
        ("Clip", entry.clip_name or Path(entry.source).name),
        ("Heard", f"{heard.start:.1f}–{heard.end:.1f} s of {heard.duration:.1f} s"),
        ("Task", TASKS[answer.task].label),
        ("Model", f"{model.preset} · {model.quantization} · {model.fingerprint}"),
        ("Sampling", f"seed {answer.seed}, temperature {answer.temperature:g}"),
        *(_rating_facts(rating) if rating else [("Rating", "none yet")]),
    ]
    return {
        "question": answer.question,
        "answer": answer.text,
        "history": [{"question": turn.question, "answer": turn.answer} for turn in answer.history],
        "facts": [(name, text) for name, text in facts if text],
        "spans": [span.to_json() for span in spans],
        "changes": [_change(outcome) for outcome in found.changes] if found else [],
        "deletion": _deletion(found.deletion) if found and found.deletion else None,
    }


def _change(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "words": word_changes(outcome.before, outcome.after),
        "likelihood": outcome.logprob_change,
        "dropped": outcome.tokens_dropped,
        "tokens": outcome.tokens,
        "saved": outcome.seconds_saved,
    }


def _deletion(test: DeletionTest) -> dict[str, Any]:
    return {
        "rows": [(name, values) for name, values, _ in conditions(test)],
        "verdict": test.verdict(),
        "reference": test.reference,
    }


def _rating_facts(rating: Rating) -> list[tuple[str, str]]:
    return [
        ("Rating", _THUMBS.get(rating.thumb or 0, "")),
        ("Score", f"{rating.score} of 5" if rating.score else ""),
        ("Correction", rating.correction or ""),
        ("Comment", rating.comment or ""),
    ]


def _own(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")
