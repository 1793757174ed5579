"""Transcripts with times: sentences as subtitles (SubRip, WebVTT) and as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from usam.schema.segments import Segment
from usam.schema.words import Word

MOST_CHARACTERS = 84  # two lines of 42, as broadcasters have them
MOST_SECONDS = 7.0
PAUSE = 0.8  # seconds of silence after which a new subtitle begins
LEAST_SECONDS = 1.0  # a subtitle stays, unless the next one begins
_ABBREVIATIONS = frozenset({"mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "jr.", "sr.", "vs.", "no."})
_ENDS = (".", "?", "!", "…", "。", "？", "！")


@dataclass(frozen=True)
class Cue:
    """A subtitle. Times in seconds of the recording."""

    start: float
    end: float
    text: str


def cues(segments: Iterable[Segment]) -> list[Cue]:
    """Sentences, and parts of those that are too long to be read at once."""
    groups = lines(word for segment in segments for word in segment.words)
    starts = [group[0].start for group in groups[1:]] + [float("inf")] * bool(groups)
    return [
        Cue(group[0].start, _end(group, following), _text(group))
        for group, following in zip(groups, starts, strict=True)
    ]


def lines(words: Iterable[Word]) -> list[list[Word]]:
    """The words of each subtitle. Further words leave those before as they are, but for the last line."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and _continues(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _end(group: Sequence[Word], following: float) -> float:
    """Long enough to be read, but not beyond where the following cue begins."""
    start = group[0].start
    return max(start, min(max(group[-1].end, start + LEAST_SECONDS), following))


def srt(found: Sequence[Cue], first: int = 1) -> str:
    """SubRip; `first` is the number of the first subtitle."""
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n\n"
        for number, cue in enumerate(found, first)
    )


def vtt(found: Sequence[Cue], header: bool = True) -> str:
    """WebVTT (W3C), in which `<`, `>` and `&` are written as entities."""
    body = "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(cue.text)}\n\n" for cue in found
    )
    return ("WEBVTT\n\n" if header else "") + body


def txt(found: Sequence[Cue]) -> str:
    """A line a sentence."""
    return "".join(f"{cue.text}\n" for cue in found)


def _continues(group: Sequence[Word], word: Word) -> bool:
    last = group[-1]
    return (
        not _ends(last.text)
        and word.start - last.end <= PAUSE
        and word.end - group[0].start <= MOST_SECONDS
        and len(_text(group)) + len(word.read) <= MOST_CHARACTERS
    )


def _ends(text: str) -> bool:
    """Whether a sentence may end with this word."""
    bare = text.strip().rstrip("\"')”»")
    return bare.endswith(_ENDS) and bare.lower() not in _ABBREVIATIONS


def _text(words: Sequence[Word]) -> str:
    return "".join(word.read for word in words).strip()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
