"""Two answers to one question side by side, and the buttons that vote between them. Every text is escaped
here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import gradio as gr

from storage.ratings.comparisons import Winner
from usam.schema.answer import Answer

# Which button casts which vote, when answer a stands on the left.
VOTES: dict[Winner, str] = {"a": "A is better", "tie": "Tie", "both_bad": "Both are bad", "b": "B is better"}


def vote_buttons(prefix: str) -> dict[Winner, gr.Button]:
    """Called inside a row. prefix: of the buttons' ids."""
    return {
        vote: gr.Button(words, min_width=110, elem_id=f"{prefix}-{vote}") for vote, words in VOTES.items()
    }


def asked(answer: Answer, opus: str | None) -> str:
    """The question, after the turns before it, and a player. opus: what was heard as Ogg Opus in base64; it
    travels inside the page, since a file of its own would be left in a cache that others may read."""
    turns = "".join(
        f'<p class="q">{escape(turn.question)}</p><p class="q">{escape(turn.answer)}</p>'
        for turn in answer.history
    )
    player = f'<audio controls aria-label="Clip" src="data:audio/ogg;base64,{opus}"></audio>' if opus else ""
    question = escape(answer.question)
    return f'<div class="contest-asked">{turns}<p class="question">{question}</p>{player}</div>'


def sides(answers: Iterable[Answer], winner: Winner | None = None, made: Sequence[str] = ("", "")) -> str:
    """Both answers, A on the left. made: HTML that says what made each of them, shown after the vote."""
    cards = "".join(
        _side(letter, answer, note, won=winner == letter.lower())
        for letter, answer, note in zip("AB", answers, made, strict=True)
    )
    return f'<div class="sides" data-open="{str(winner is not None).lower()}">{cards}</div>'


def _side(letter: str, answer: Answer, made: str, *, won: bool) -> str:
    text = escape(answer.text) or '<span class="hint">The model gave no answer.</span>'
    cut = f'<p class="hint">{answer.cut_short}</p>' if answer.cut_short else ""
    mark, choice = (' data-won=""', " <em>· your choice</em>") if won else ("", "")
    return (
        f'<section class="side"{mark}><h3>{letter}{choice}</h3><p class="a">{text}</p>{cut}{made}</section>'
    )
