"""The page's own pieces of HTML: the item to judge with its player, the progress, the keys."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from storage.analysis.consistency import SelfConsistency
from storage.annotation.leases import LEASE_TIME
from storage.annotation.projects import Project
from storage.annotation.queue import QueueCounts, QueueItem
from ui.components import messages
from usam.errors import UsamError
from usam.schema.tasks import TASKS

log = logging.getLogger(__name__)

BARS = 160
HEIGHT = 56
SHOWN = ("thumb", "score")
"""The judgements whose consistency is shown to the person; the Dashboard has the rest."""

KEYS = (
    ("Space", "play"), ("G", "good"), ("B", "bad"), ("1–5", "score"), ("↑ ↓", "row"),
    ("H W U A", "flags"), ("C", "correct"), ("Esc", "leave field"),
    ("Enter", "submit"), ("S", "skip"), ("D", "draft"), ("Z", "undo"),
)  # fmt: skip


def keys() -> str:
    caps = "".join(
        f"<span>{''.join(f'<kbd>{key}</kbd>' for key in names.split())} {what}</span>" for names, what in KEYS
    )
    return f'<p class="keys">{caps}</p>'


def progress(counts: QueueCounts) -> str:
    """How far through the queue the person is, as a bar and in words."""
    done = counts.judged + counts.skipped
    total = max(done + counts.left, 1)
    drafts = (
        f" · <b>{counts.drafts}</b> draft{'' if counts.drafts == 1 else 's'} among them"
        if counts.drafts
        else ""
    )
    return (
        f'<div class="progress"><progress max="{total}" value="{done}" aria-label="Queue"></progress>'
        f"<p><b>{counts.judged}</b> judged · <b>{counts.skipped}</b> skipped · "
        f"{'more than ' if counts.more else ''}<b>{counts.left:,}</b> left{drafts}</p></div>"
    )


def self_consistency(found: Sequence[SelfConsistency]) -> str:
    """How often the person judged an answer the same when it came twice; empty before the first."""
    cells = " · ".join(
        f"{escape(one.judged.replace('_', ' '))} <b>{one.same} of {one.repeats}</b> "
        f"({one.low:.0%}–{one.high:.0%})"
        for one in found
        if one.judged in SHOWN
    )
    return f'<p class="steady">The same when an answer came twice: {cells}</p>' if cells else ""


def guidelines(project: Project | None) -> str:
    """What the team agreed on, folded; empty where it is nothing."""
    if project is None or not project.guidelines:
        return ""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in project.guidelines.split("\n") if line.strip())
    return f'<details class="guidelines"><summary>Guidelines</summary>{paragraphs}</details>'


def empty(counts: QueueCounts, *, audio_only: bool, project: Project | None = None) -> str:
    """Nothing is left to judge."""
    if counts.left:
        return _leased(counts, of_project=project is not None)
    if project is not None:
        return _project_empty(counts, audio_only=audio_only)
    hint = "Answers come here from the Studio page" + (
        " when their audio was stored. Without it only the words can be judged: untick the box above."
        if audio_only
        else "."
    )
    words = "All judged. Thank you." if counts.judged + counts.skipped else "Nothing to judge yet."
    return f'<div class="empty"><p>{words}</p><p class="hint">{hint}</p></div>'


def _leased(counts: QueueCounts, *, of_project: bool) -> str:
    """What is left is on other pages."""
    last = messages.counted(counts.left, "item" if of_project else "answer")
    words = f"The last {last} are on other people's pages now, or on another of yours."
    minutes = int(LEASE_TIME.total_seconds() // 60)
    hint = f"What they leave comes here: reload the page in {minutes} minutes."
    return f'<div class="empty"><p>{words}</p><p class="hint">{hint}</p></div>'


def _project_empty(counts: QueueCounts, *, audio_only: bool) -> str:
    words = "All judged. Thank you." if counts.judged + counts.skipped else "Nothing to judge yet."
    hint = "Items without audio are left out: untick the box above." if audio_only else ""
    return f'<div class="empty"><p>{words}</p><p class="hint">{hint}</p></div>'


def not_open(name: str) -> str:
    """A project that was closed, or taken from the person, meanwhile."""
    words = f"The project {name} is closed, or not open to you."
    return f'<div class="empty"><p>{escape(words)}</p><p class="hint">Choose another one above.</p></div>'


def item(shown: QueueItem, wanted: int | None = None, *, of_project: bool = False) -> str:
    """The clip, the question and the answer; nothing of the model's internals, which could bias a
    judgement. In a project also not how many others have judged it, which would tell the gold items."""
    turns = "".join(
        f'<div class="turn past"><p class="q">{escape(turn["question"])}</p>'
        f'<p class="a">{escape(turn["answer"])}</p></div>'
        for turn in shown.history
    )
    cut = '<p class="hint">Cut short: stopped, or out of tokens.</p>' if shown.stopped else ""
    small = _small_print(shown, wanted, of_project=of_project)
    return (
        f'<article class="item" data-id="{escape(shown.answer_id)}">{_player(shown)}'
        f'<div class="thread">{turns}<div class="turn now"><p class="q">{escape(shown.question)}</p>'
        f'<p class="a">{escape(shown.text)}</p>{cut}</div></div>{small}</article>'
    )


def _small_print(shown: QueueItem, wanted: int | None, *, of_project: bool) -> str:
    task = TASKS[shown.task].label if shown.task in TASKS else shown.task
    cells = [
        ("Task", task),
        ("Heard", messages.span(shown.heard_start, shown.heard_end, shown.clip_duration)),
    ]
    if not of_project:
        others = messages.counted(shown.others, "other")
        cells += [("Judged by", f"{others}, {wanted} wanted" if wanted else others)]
    items = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in cells)
    return f'<dl class="meters">{items}</dl>'


def _player(shown: QueueItem) -> str:
    """The sound travels inside the page: a file of its own would be left in a cache that others may read."""
    if shown.audio is None:
        return '<p class="hint silent">The audio was not stored: only the words can be judged.</p>'
    try:
        sound, bars = _heard(shown.audio)
    except (UsamError, OSError) as error:
        log.warning("kept audio cannot be played: %s", error)
        return '<p class="hint silent">The stored audio cannot be played.</p>'
    wave = "".join(
        f'<rect x="{i}" y="{HEIGHT / 2 * (1 - bar):.1f}" width="0.62" height="{HEIGHT * bar:.1f}"/>'
        for i, bar in enumerate(bars)
    )
    drawing = (
        f'<svg viewBox="0 0 {len(bars)} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{wave}</svg>'
    )
    return (
        '<div class="player"><button type="button" class="play" aria-label="Play or pause"></button>'
        f'<div class="wave">{drawing}<div class="played">{drawing}</div></div>'
        f'<span class="clock">{shown.heard_end - shown.heard_start:.1f} s</span>'
        f'<audio preload="auto" src="data:audio/ogg;base64,{base64.b64encode(sound).decode()}"></audio></div>'
    )


def _heard(file: Path) -> tuple[bytes, list[float]]:
    """The clip as Ogg Opus, and the height of its bars, 0 to 1."""
    from ui.inspector.sound import opus  # with torch: not before it is needed
    from usam.audio.clip import load_clip

    waveform = load_clip(file).waveform
    loudest = [float(np.abs(piece).max()) for piece in np.array_split(waveform.numpy(), BARS) if len(piece)]
    top = max(*loudest, 1e-4)
    return opus(waveform), [max(value / top, 0.03) for value in loudest]
