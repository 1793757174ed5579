"""Labelled recordings inside Debian packages; a folder is `/usr/share`, or that of an unpacked package.

- `read_fillets`: fillets-ng-data, fillets-ng-data-cs, fillets-ng-data-nl; acted Czech and Dutch, and English
- `read_stamps`: tuxpaint-stamps-default; captions of pictures in many languages, sounds and instruments
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import soundfile

from usam.data.corpus import CorpusError, Example
from usam.data.labels import spoken_words

FILLETS_LANGUAGES = ("cs", "nl")
_FILLETS_LICENCE = "GPL-2.0 (Fish Fillets NG, ALTAR interactive and others)"
_STAMPS_LICENCE = "GPL-2.0-or-later (Tux Paint stamps, Bill Kendrick and others)"

_DIALOG = re.compile(
    r'dialogId\s*\(\s*"(?P<clip>[^"]+)"\s*,\s*"[^"]*"\s*,\s*"(?P<english>(?:[^"\\]|\\.)*)"\s*\)'
    r'\s*dialogStr\s*\(\s*"(?P<text>(?:[^"\\]|\\.)*)"\s*\)'
)
_STAMP_CLIP = re.compile(
    r"(?P<stamp>.+?)(?P<caption>_desc)?(?:_(?P<language>[a-z]{2}(?:_[A-Za-z]{2})?))?\.ogg"
)


def read_fillets(folder: Path) -> list[Example]:
    """Lines of the two fish: `transcript` as printed in the clip's language, `translation` in English.

    A level is a group, with both languages in it, so that no translation of a held-out line is trained on.
    The actors are few and speak in every level: this tells new lines, not new voices.
    """
    game = folder / "games/fillets-ng"
    if not (game / "script").is_dir():
        raise CorpusError(
            f"{folder} holds no fillets-ng: install or unpack fillets-ng-data and its -cs and -nl."
        )
    return [example for language in FILLETS_LANGUAGES for example in _fillets(game, language)]


def read_stamps(folder: Path) -> list[Example]:
    """Captions (speech) and what the pictured thing sounds like (sound, music).

    English captions have a `transcript` (their speaker leaves out the article), others the English caption as
    `translation`. A stamp is a group: its sound and its captions in all languages.
    """
    stamps = folder / "tuxpaint/stamps"
    if not stamps.is_dir():
        raise CorpusError(f"{folder} holds no stamps: install or unpack tuxpaint-stamps-default.")
    return list(_stamps(stamps))


def _fillets(game: Path, language: str) -> Iterator[Example]:
    for dialogs in sorted((game / "script").glob(f"*/dialogs_{language}.lua")):
        level = dialogs.parent.name
        for line in _DIALOG.finditer(dialogs.read_text(encoding="utf-8")):
            clip = game / "sound" / level / language / f"{line['clip']}.ogg"
            if clip.is_file() and line["english"].strip() and line["text"].strip():
                yield Example(
                    path=clip,
                    seconds=seconds_of(clip),
                    kind="speech",
                    transcript=_unquote(line["text"]),
                    label=None,
                    group=f"fillets:{level}",
                    source="fillets",
                    licence=_FILLETS_LICENCE,
                    language=language,
                    translation=_unquote(line["english"]),
                )


def _stamps(stamps: Path) -> Iterator[Example]:
    for clip in sorted(stamps.rglob("*.ogg")):
        match = _STAMP_CLIP.fullmatch(clip.name)
        if match is None:
            continue
        stamp = clip.with_name(match["stamp"] + ".txt")
        caption = _caption(stamp)
        place = stamp.relative_to(stamps).with_suffix("").as_posix()
        speech = bool(match["caption"] or match["language"] or place.startswith("symbols/math/"))
        language = match["language"] or "en"
        label = None if speech else _stamp_label(place, caption)
        english = language.startswith("en")
        words = spoken_words(caption)
        if words is None or not (speech or label) or (english and "/alphabets/" in place):
            continue  # unknown wording: `The letter a.` is spoken `a`
        kind: Literal["speech", "sound", "music"] = "speech" if speech else "sound"
        if label and place.startswith("hobbies/music/"):
            kind = "music"
        yield Example(
            path=clip,
            seconds=seconds_of(clip),
            kind=kind,
            transcript=re.sub("^(an?|the) ", "", words) if speech and english else None,
            label=label,
            group=f"tuxpaint:{place}",
            source="tuxpaint",
            licence=_STAMPS_LICENCE,
            language=language[:2] if speech else "",
            translation=caption if speech and not english else None,
        )


def _caption(stamp: Path) -> str:
    """The English first line of a stamp's text, or nothing."""
    try:
        return stamp.read_text(encoding="utf-8", errors="replace").split("\n")[0].replace("’", "'").strip()
    except FileNotFoundError:
        return ""


def _stamp_label(place: str, caption: str) -> str | None:
    """`A crash cymbal.` -> crash cymbal; None for symbols and feasts, whose clips are jingles or talk."""
    label = re.sub(r"^(an?|the)\s+", "", caption.lower().rstrip(".!"))
    if place.startswith(("symbols/", "seasonal/", "military/", "town/")) or len(label.split()) > 3:
        return None
    return label or None


def _unquote(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", " ").replace("’", "'").strip()


def seconds_of(clip: Path) -> float:
    """Length of a clip from its header alone, to a millisecond."""
    return round(soundfile.info(clip).duration, 3)
