"""Answers of this server's database, shown again: by link, and with the sound where it was kept."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from storage import Feedback
from ui.studio.session import SessionAnswer
from usam.errors import RequestError, UsamError
from usam.schema.answer import Answer
from usam.schema.trace import ClipSpan

if TYPE_CHECKING:
    from usam.audio.clip import Clip

log = logging.getLogger(__name__)

LoadClip = Callable[..., "Clip"]

LINK = "answer"
"""The part of the page's address that names a stored answer to show."""

NOT_KEPT = "The audio of this answer was not kept, so the spectrogram is empty and nothing can be played."
UNREADABLE = "This answer was stored by another version of the app and cannot be shown."
PUT_THE_CLIP = (
    "The audio of this answer was not kept. Put the same clip in the player above, and the model can hear "
    "it again."
)


def link_of(entry: SessionAnswer) -> str | None:
    """What leads back to the answer on this server; None when it could not be stored."""
    return f"?{urlencode({LINK: entry.answer_id})}" if entry.answer_id else None


def load_stored_answer(feedback: Feedback, answer_id: str, load_clip: LoadClip) -> SessionAnswer:
    """A stored answer as an entry of a session, with its clip if its asker agreed to keep the audio.

    Raises StorageError (NotFoundError: no such answer), UsamError.
    """
    record = feedback.answer(answer_id)
    try:
        answer = Answer.from_json(record)
    except (KeyError, TypeError, ValueError) as error:
        log.warning("a stored answer could not be read: %r", error)
        raise UsamError(UNREADABLE) from error
    clip = None
    if file := feedback.kept_audio(answer_id):
        clip = _same_sound(load_clip, str(file), answer.heard)
    return SessionAnswer(uuid.uuid4().hex, answer, clip, "", answer_id=record["answer_id"])


def clip_of(entry: SessionAnswer, source: str | None, load_clip: LoadClip) -> Clip:
    """What the entry's answer was about; where its audio was not kept, the file `source` if it is the same.

    Raises RequestError.
    """
    heard = entry.answer.heard
    clip = entry.clip or (
        source and (_same_sound(load_clip, source, heard) or _same_sound(load_clip, source, heard, cut=True))
    )
    if not clip:
        raise RequestError(PUT_THE_CLIP)
    return clip


def _same_sound(load_clip: LoadClip, file: str, heard: ClipSpan, *, cut: bool = False) -> Clip | None:
    """The file, or the heard span of it, in its place in the original clip; None when it is another sound."""
    try:
        clip = load_clip(file, heard.start, heard.end) if cut else load_clip(file)
    except UsamError:
        return None
    if clip.sha256 != heard.sha256:
        return None
    return replace(clip, start=heard.start, end=heard.end, duration=heard.duration)
