"""Found answers as HTML. Whatever a person or the model wrote is escaped here."""

from __future__ import annotations

from datetime import datetime
from html import escape

from storage import MOST_HITS
from storage.answers.browse import MOST_SCANNED, FoundAnswer, Page, RatingText
from ui.studio.stored_answers import LINK
from usam.schema.tasks import TASKS

_THUMBS = {1: "good", 0: "neither", -1: "bad"}
HINT = (
    "<p class='hint'>Only whole words match, in upper or lower case; <code>bark*</code> finds words "
    f"that begin with it. A search covers the latest {MOST_HITS:,} answers and ratings with its words.</p>"
)


def page(shown: Page) -> str:
    if shown.found:
        return f'<ol class="found">{"".join(map(_found, shown.found))}</ol>'
    more = f" among these {MOST_SCANNED:,}: older ones may be" if shown.after else ""
    return f'<div class="empty"><p>No answer matches that{more}.</p></div>'


def _found(found: FoundAnswer) -> str:
    task = TASKS[found.task].label if found.task in TASKS else found.task
    made = f"{found.model_fingerprint[:8]} · {found.quantization}"
    facts = [_when(found.created_at), task, found.kind or "", made, _counted(found)]
    facts = [f"<span>{escape(fact)}</span>" for fact in facts if fact]
    texts = "".join(map(_rating, found.texts))
    return (
        f'<li><p class="facts">{"".join(facts)}'
        f'<a href="./?{LINK}={escape(found.answer_id)}" target="_blank" rel="noopener">Open</a></p>'
        f'<p class="q">{escape(found.question)}</p><p class="a">{escape(found.text) or "(no words)"}</p>'
        f"{f'<ul>{texts}</ul>' if texts else ''}</li>"
    )


def _counted(found: FoundAnswer) -> str:
    counts = found.counts
    if not counts.ratings:
        return "not rated"
    parts = [f"{counts.up} good, {counts.down} bad"] if counts.up or counts.down else []
    parts += [f"mean score {counts.mean_score:.1f}"] if counts.mean_score is not None else []
    return "; ".join(parts) or f"{counts.ratings} rated"


def _rating(rating: RatingText) -> str:
    given = [_THUMBS[rating.thumb]] if rating.thumb is not None else []
    given += [f"score {rating.score}"] if rating.score is not None else []
    who = ", ".join([f"Person {rating.annotator}", *given, _when(rating.updated_at)])
    texts = (("Better", rating.correction), ("Comment", rating.comment))
    words = "".join(f"<p><b>{name}</b> {escape(text)}</p>" for name, text in texts if text)
    return f"<li><small>{escape(who)}</small>{words}</li>"


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"
