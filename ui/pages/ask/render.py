"""The page's own pieces of HTML. Whatever a person or the model wrote is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ui.components import messages
from ui.engines.loader import LoadState
from ui.examples import EXAMPLES
from usam.schema.answer import Answer, Turn
from usam.schema.tasks import TASKS
from usam.schema.trace import ClipSpan

LEAST_GAIN_DB = 1.0  # worth a sentence

HEADER = """
<header class="masthead">
  <svg viewBox="0 0 40 40" aria-hidden="true" class="mark">
    <rect class="m1" x="3" y="22" width="5" height="12" rx="1"/>
    <rect class="m2" x="3" y="12" width="5" height="9" rx="1"/>
    <rect class="m1" x="10" y="16" width="5" height="18" rx="1"/>
    <rect class="m3" x="10" y="6" width="5" height="9" rx="1"/>
    <rect class="m1" x="17" y="27" width="5" height="7" rx="1"/>
    <rect class="m2" x="17" y="9" width="5" height="17" rx="1"/>
    <rect class="m3" x="24" y="18" width="5" height="16" rx="1"/>
    <rect class="m2" x="24" y="8" width="5" height="9" rx="1"/>
    <rect class="m1" x="31" y="24" width="5" height="10" rx="1"/>
    <rect class="m3" x="31" y="13" width="5" height="10" rx="1"/>
  </svg>
  <div><h1>U-SAM Studio</h1>
  <p>Ask about speech, sounds and music. See how the answer was made. Rate how good it is.</p></div>
</header>"""

STAND_INS = """
<footer class="limits"><p><strong>What is real.</strong> Whisper base and SmolLM2-135M-Instruct are those
that were published. YAMNet stands in for CED and musicnn for MERT, whose weights are only on a model hub.
The model card has the measurements.</p></footer>"""

# Opened first: a closed card is too short to scroll to.
_TO_CARD = (
    "const card = document.querySelector('#card'); card.querySelector('button:not(.open)')?.click();"
    "setTimeout(() => card.scrollIntoView(), 80); return false"
)

NO_CLIP = '<p class="heard">No clip yet.</p>'

EMPTY_ANSWER = """<div class="empty"><p>Your answer appears here.</p>
<p class="hint">Record or upload a clip, or pick an example. Each one runs with one click.</p></div>"""


def limits(*, card: bool) -> str:
    """The model's limits in one line, with a link to the model card where the page has it."""
    more = f': <a href="#card" onclick="{_TO_CARD}">what it can and cannot do</a>.' if card else "."
    return f'<p class="hint">A small model, and often wrong{more}</p>'


def banner(state: LoadState) -> str:
    """How far the model is: a step and a bar while it loads, one word when it is ready."""
    if state.error:
        return f'<p class="engine fault" role="alert">{escape(state.error)} Ask a question to try again.</p>'
    if state.ready:
        return '<p class="engine ready" role="status"><i></i>Model ready</p>'
    return messages.working(state.step, state.fraction, "Loading the model")


def example_mark(source: str) -> str:
    """The style that marks an example's button while its clip is in the player; empty for any other clip."""
    for row, examples in enumerate(EXAMPLES.values(), start=1):
        for place, example in enumerate(examples, start=1):
            if Path(source).name == example.file:
                button = f".examples:nth-of-type({row + 1}) .gallery-item:nth-child({place})"
                look = "border-color: var(--accent) !important; background: var(--accent-well) !important"
                return f"<style>#examples > {button} {{ {look} }}</style>"
    return ""


def will_hear(start: float, end: float, duration: float, longest: float, name: str = "") -> str:
    """What the next question will be about, before it is asked."""
    named = f", {escape(name)}" if name else ""
    text = f"Will hear <b>{messages.span(start, end, duration)}</b>{named}."
    if duration > longest:
        text += f" Up to {longest:g} s are heard at once: drag the region below to choose which."
    return f'<p class="heard" role="status">{text}</p>'


def heard(span: ClipSpan) -> str:
    tail = "" if span.end - span.start >= span.duration - 0.05 else " The rest was not heard."
    if span.gain_db > LEAST_GAIN_DB:
        tail += f" It is very quiet and was raised by {span.gain_db:.0f} dB."
    if span.tracks > 1:
        tail += f" The file has {span.tracks} sound tracks, of which this is one."
    text = messages.span(span.start, span.end, span.duration)
    return f'<p class="heard" role="status">Heard <b>{text}</b>.{tail}</p>'


def stale(clip_name: str) -> str:
    """Stands over an answer beside another clip than its own."""
    name = f", “{escape(clip_name)}”" if clip_name else ""
    return (
        f'<p class="stale" role="status"><b>About another clip</b>{name}, not the one in the player. '
        "Ask to hear that one.</p>"
    )


def waiting(state: LoadState) -> str:
    percent = round(100 * state.fraction)
    return (
        '<p class="heard" role="status">The model is still loading '
        f"({escape(state.step)}, {percent} %). Your question runs as soon as it is ready.</p>"
    )


def context(turns: int) -> str:
    """The line over the question box while the next question is tied to an answer on display."""
    if not turns:
        return '<p class="context">Editing the question of the answer on display; same clip.</p>'
    noun = "turn" if turns == 1 else "turns"
    return f'<p class="context">Follow-up: the model also reads {turns} earlier {noun} about this clip.</p>'


def thread(
    earlier: Sequence[Turn], question: str, text: str, *, writing: bool = False, note: str = ""
) -> str:
    """The conversation: earlier turns small, the latest large, with a caret while it is being written."""
    past = "".join(
        f'<div class="turn past"><p class="q">{escape(turn.question)}</p>'
        f'<p class="a">{escape(turn.answer)}</p></div>'
        for turn in earlier
    )
    body = escape(text) or ("" if writing else '<span class="hint">The model gave no answer.</span>')
    end = '<span class="caret" aria-hidden="true"></span>' if writing else ""
    small = f'<p class="hint">{escape(note)}</p>' if note else ""
    return (
        f'<div class="thread" aria-live="polite" aria-busy="{str(writing).lower()}">{past}'
        f'<div class="turn now"><p class="q">{escape(question)}</p>'
        f'<p class="a" id="answer-text">{body}{end}</p>'
        f"{small}</div></div>"
    )


def decoding(answer: Answer) -> str:
    """How the answer's words were chosen."""
    if answer.temperature:
        return f"temperature {answer.temperature:g}"
    beams = TASKS[answer.task].beams
    return f"{beams} beams" if beams > 1 else "greedy"


def meters(answer: Answer) -> str:
    """Times, model and sampling of one answer, in one line of instruments."""
    times, model = answer.timings, answer.model
    cells = (
        ("Encode", f"{times.encode_s:.2f} s"),
        ("First token", f"{times.first_token_s:.2f} s"),
        ("Speed", f"{times.tokens_per_s:.0f} tokens/s"),
        ("Model", f"{model.preset} · {model.quantization} · {model.device}"),
        ("Decoding", f"seed {answer.seed}, {decoding(answer)}"),
    )
    items = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in cells)
    return f'<dl class="meters">{items}</dl>'


def signed_in(account: str | None) -> str:
    """Whose account the page is open under, and the way out; nothing without one."""
    if account is None:
        return ""
    return f'<p class="who">Signed in as <b>{escape(account)}</b> · <a href="logout">Log out</a></p>'
