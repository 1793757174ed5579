"""A visit as its browser keeps it: the ids of its answers, from which it is restored after a reload."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage import Feedback, StorageError
from ui.examples import EXAMPLES
from ui.studio.clips import ClipCache
from ui.studio.session import KEPT_ENTRIES, Session, SessionAnswer
from ui.studio.stored_answers import load_stored_answer, same_audio
from usam.errors import UsamError

log = logging.getLogger(__name__)

LONGEST_NOTE = 20_000  # characters; twelve answers take some 2,000
LONGEST_NAME = 200  # characters of a clip's name


def note_of(session: Session) -> str:
    """What the browser keeps, as JSON: which stored answers there are, with the names of their clips, and
    which is on display."""
    answers = [
        {"id": entry.answer_id, "clip": entry.clip_name} for entry in session.entries if entry.answer_id
    ]
    current = session.current
    return json.dumps({"answers": answers, "shown": current.answer_id if current else None})


def shown_answer(session: Session, note: object) -> str | None:
    """The id of the stored answer that the page shows. Where this process does not know the page, because
    another one served it so far, that is what its browser says."""
    if session.entries:
        return session.current.answer_id if session.current else None
    shown = _shown(note)
    return shown if isinstance(shown, str) else None


def restore(feedback: Feedback, clips: ClipCache, note: object) -> Session:
    """The session that a browser's note tells of, without answers that were deleted meanwhile; an empty one
    for anything that is no such note. An answer's audio comes back where it was kept, and that of an example.
    With the note the browser sends its time zone.
    """
    session, shown = Session(zone=_zone(note)), None
    for answer_id, name in _answers(note):
        try:
            entry = load_stored_answer(feedback, answer_id, clips)
        except (StorageError, UsamError) as error:
            log.info("an answer of a visit was not restored: %s", error)
            continue
        session = session.add(replace(with_example(entry, clips), clip_name=name))
        shown = session.shown if answer_id == _shown(note) else shown
    return session.show(shown) if shown else session


def with_example(entry: SessionAnswer, clips: ClipCache) -> SessionAnswer:
    """The answer with the audio of the example it is about, if it has none and is about one."""
    if entry.audio:
        return entry
    heard = entry.answer.heard
    for example in (example for kind in EXAMPLES.values() for example in kind):
        if audio := same_audio(clips, example.path, heard):
            return replace(entry, audio=audio)
    return entry


def _read(note: object) -> dict[str, Any]:
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        return {}
    try:
        read = json.loads(note)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _answers(note: object) -> list[tuple[str, str]]:
    """Ids and names of clips; all of it is untrusted."""
    listed = _read(note).get("answers")
    found = [
        (one["id"], str(one.get("clip") or "")[:LONGEST_NAME])
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    ]
    return found[-KEPT_ENTRIES:]


def _zone(note: object) -> tzinfo | None:
    name = _read(note).get("zone")
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else None
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # OSError: the name of a folder of zones, or a long one
        return None


def _shown(note: object) -> object:
    return _read(note).get("shown")
