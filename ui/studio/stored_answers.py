"""Shows answers of this server's database again: by link, and with the audio where it was kept."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from storage import Feedback
from ui.studio.clips import ClipCache, HeardClip
from ui.studio.session import SessionAnswer
from usam.errors import RequestError, UsamError
from usam.schema.answer import Answer
from usam.schema.trace import ClipSpan

log = logging.getLogger(__name__)

LINK = "answer"
"""The part of the page's address that names a stored answer to show."""

NOT_KEPT = (
    "The audio of this answer was not kept, so there is nothing to draw, to play or to try on it. Put the "
    "same clip in the player above, and there is."
)
UNREADABLE = "This answer was stored by another version of the app and cannot be shown."
PUT_THE_CLIP = (
    "The audio of this answer was not kept. Put the same clip in the player above, and the model can hear "
    "it again."
)


def link_of(entry: SessionAnswer) -> str | None:
    """The answer's link on this server; None when it could not be stored."""
    return f"?{urlencode({LINK: entry.answer_id})}" if entry.answer_id else None


def load_stored_answer(feedback: Feedback, answer_id: str, clips: ClipCache) -> SessionAnswer:
    """A stored answer as an answer of a session, with its clip if its asker agreed to keep the audio.

    Raises StorageError (NotFoundError: no such answer), UsamError.
    """
    record = feedback.answer(answer_id)
    try:
        answer = replace(Answer.from_json(record), ids=feedback.token_ids(answer_id))
    except (KeyError, TypeError, ValueError) as error:
        log.warning("a stored answer could not be read: %r", error)
        raise UsamError(UNREADABLE) from error
    audio = None
    if file := feedback.kept_audio(answer_id):
        audio = same_audio(clips, str(file), answer.heard)
    asked_at = datetime.fromisoformat(record["created_at"])
    return SessionAnswer(
        uuid.uuid4().hex, answer, audio, "", answer_id=record["answer_id"], asked_at=asked_at
    )


def audio_of(entry: SessionAnswer, source: str | None, clips: ClipCache) -> HeardClip:
    """What the answer was about; where that is not here any more, the file `source` if it is the same.

    Raises RequestError.
    """
    if entry.audio and entry.audio.get():
        return entry.audio
    audio = same_clip(entry, source, clips)
    if not audio:
        raise RequestError(PUT_THE_CLIP)
    return audio


def same_clip(entry: SessionAnswer, source: str | None, clips: ClipCache) -> HeardClip | None:
    """What the answer was about, where the file `source` is that or holds it."""
    if not source:
        return None
    if entry.audio and source == entry.source:
        return entry.audio
    heard = entry.answer.heard
    return same_audio(clips, source, heard) or same_audio(clips, source, heard, cut=True)


def same_audio(clips: ClipCache, file: str, heard: ClipSpan, *, cut: bool = False) -> HeardClip | None:
    """The file, or the heard span of it, in its place in the original clip; None when it is another sound."""
    try:
        audio = clips.load(file, heard.start, heard.end) if cut else clips.load(file)
    except UsamError:
        return None
    return replace(audio, heard=heard) if audio.heard.sha256 == heard.sha256 else None
