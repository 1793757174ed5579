"""Speech that the sound specialist alone misses: over music, behind sounds, and in a disguised voice.

All encoders together tell kinds better than it does. Where they hear speech and it hears none, the speech
specialist is asked after all, and believed; where they hear none, a language without a word is no sign of
speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from usam.encoders.heads.sound_names import kinds_heard, speech_score
from usam.encoders.words import Heard
from usam.schema.words import Word

COVERED = 0.7  # share of a stretch of speech that the sound specialist hears, where it missed nothing
SURE_SPEECH = 0.65  # score of the speech classes above which words are believed
# The same of the kinds. Of 18 clips of sounds and music of which Whisper made words, none has over -1; all of
# four lines of Czech that were not believed have over 1.
SURE_KIND = 0.5
Span = tuple[float, float]


def missed_speech(heard: Heard) -> tuple[Span, ...]:
    """Where the kinds say that someone speaks and little of it was heard as speech: spans in seconds, each
    with the stretches of speech that it touches."""
    found: list[Span] = []
    for start, end in _spoken(heard):
        known = [one for one in heard.speech if one[0] < end and one[1] > start]
        covered = sum(min(end, last) - max(start, first) for first, last in known)
        if covered < COVERED * (end - start):
            start, end = (min([start, *(one[0] for one in known)]), max([end, *(one[1] for one in known)]))
            if found and start < found[-1][1]:  # both touch the same stretch
                start, _ = found.pop()
            found.append((start, end))
    return tuple(found)


def surely_speech(heard: Heard, start: float, end: float) -> bool:
    """Whether what Whisper hardly makes out between two times (s) is speech all the same."""
    return _surely_heard(heard, start, end) or _surely_kind(heard, start, end)


def _surely_heard(heard: Heard, start: float, end: float) -> bool:
    return speech_score(heard.sounds, start, end) > SURE_SPEECH


def _surely_kind(heard: Heard, start: float, end: float) -> bool:
    """Whether speech is heard, and no music: what is hardly made out over music hides it from the answer."""
    kinds = heard.kinds
    if kinds is None:
        return False
    return kinds.mean("speech", start, end) > SURE_KIND and kinds.mean("music", start, end) < 0


def to_hear_again(heard: Heard, missed: Sequence[Span], words: Sequence[Word]) -> tuple[Span, ...]:
    """Stretches of speech to listen to once more, if these are the words found before the kinds were known:
    what was missed, and what was not believed and now is."""
    unsaid = [
        (start, end)
        for start, end in heard.speech
        if not any(start <= word.start <= end for word in words)
        and _surely_kind(heard, start, end)
        and not _surely_heard(heard, start, end)
    ]
    return tuple(sorted({*missed, *unsaid}))


def with_missed(heard: Heard, missed: tuple[Span, ...]) -> Heard:
    """The same, what was missed in place of the speech that it holds."""
    known = [one for one in heard.speech if not any(one[0] < end and one[1] > start for start, end in missed)]
    return replace(heard, speech=tuple(sorted((*known, *missed))))


def without_empty_marks(words: Sequence[Word], heard: Heard) -> list[Word]:
    """A transcript without marks of a language that no word follows, where the kinds say nobody speaks."""
    if heard.kinds is None:
        return list(words)
    spoken = _spoken(heard)
    found: list[Word] = []
    for index, word in enumerate(words):
        empty = word.is_language and (index + 1 == len(words) or words[index + 1].is_language)
        if not empty or any(start <= word.start <= end for start, end in spoken):
            found.append(word)
    return found


def _spoken(heard: Heard) -> list[Span]:
    return [(span.start, span.end) for span in kinds_heard(heard) if "speech" in span.kinds]
