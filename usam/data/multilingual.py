"""Sentences in many languages that Debian packages hold: fortunes, and the subtitles of Fish Fillets.

They are text to imagine speech from, never audio. What is not installed is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

FORTUNES = {
    "English": (
        "fortunes",
        "people",
        "science",
        "food",
        "literature",
        "humorists",
        "wisdom",
        "work",
        "sports",
        "kids",
        "love",
        "news",
        "politics",
        "computers",
        "miscellaneous",
    ),
    "German": ("de",),
    "Spanish": ("es",),
    "Polish": ("pl",),
    "Czech": ("cs",),
    "Russian": ("ru",),
    "Italian": ("it", "italia", "formiche", "leggi", "definizioni"),
    "Portuguese": ("brasil",),
    "Slovak": ("sk",),
}
SUBTITLES = {
    "cs": "Czech",
    "nl": "Dutch",
    "de": "German",
    "de_DE": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pl": "Polish",
    "ru": "Russian",
    "pt_BR": "Portuguese",
    "en": "English",
}
FEWEST = 100  # sentences of a language worth imagining in
_SENTENCE = re.compile(r"[^.!?]+[.!?]+(?:\s|$)")
_UNSPEAKABLE = re.compile(r"[<>{}\[\]|=*_#~^\\/@%]")
_ATTRIBUTION = re.compile(r"^\s*(--|—|–|\[)")
_DIALOG = re.compile(r'dialogStr\("([^"]+)"\)')


def read_texts(share: Path) -> dict[str, list[str]]:
    """Sentences by the English name of their language, of what `share` (/usr/share) holds."""
    games = share / "games"
    texts: dict[str, list[str]] = {}
    for language, names in FORTUNES.items():
        for name in names:
            texts.setdefault(language, []).extend(_fortunes(games / "fortunes" / name))
    for file in sorted((games / "fillets-ng" / "script").rglob("dialogs_*.lua")):
        spoken = SUBTITLES.get(file.stem.removeprefix("dialogs_"))
        if spoken:
            lines = _DIALOG.findall(file.read_text("utf-8", errors="ignore"))
            texts.setdefault(spoken, []).extend(line.strip() for line in lines if speakable(line))
    return {language: found for language, found in texts.items() if len(found) >= FEWEST}


def speakable(text: str) -> bool:
    """Whether a text is a sentence that somebody might say."""
    return 2 <= len(text.split()) <= 40 and not _UNSPEAKABLE.search(text)


def _fortunes(place: Path) -> Iterator[str]:
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    for file in files:
        if file.suffix == ".dat" or not file.is_file() or "off" in file.parts:
            continue
        try:
            entries = file.read_text("utf-8").split("\n%\n")
        except UnicodeDecodeError:
            continue
        for entry in entries:
            lines = [line.strip() for line in entry.split("\n") if not _ATTRIBUTION.match(line)]
            text = " ".join(" ".join(lines).split())
            for sentence in _SENTENCE.findall(text) or [text]:
                if speakable(sentence):
                    yield sentence.strip()
