"""Labels and transcripts as words: what counts as content, and what says how it is spoken."""

import re

_STOP_WORDS = frozenset(
    re.findall(r"\w+", "a an the of in on at to and or with by for from into its is no not off up down")
)
_ABBREVIATIONS = {"mr.": "mister", "mrs.": "missus", "dr.": "doctor", "hon.": "honourable"}


def label_words(label: str) -> list[str]:
    """Content words of a sound or instrument label, lowercased, in order: `Hi-hat, open` -> hi, hat, open."""
    words = re.findall(r"[a-z0-9']+", label.lower())
    return [word for word in dict.fromkeys(words) if word not in _STOP_WORDS]


def stem(word: str) -> str:
    """A word without its ending, so that `dog` is `dogs` and `howl` is `howling`."""
    return re.sub(r"(ing|s|es|ed)$", "", word) if len(word) > 4 else word.rstrip("s")


def spoken_words(text: str) -> str | None:
    """Lowercase letters, apostrophes and single spaces; None if the text does not say how it is spoken.

    Digits and symbols have several readings (1490 is a year or an amount), so such a text is no transcript.
    """
    words = " ".join(_ABBREVIATIONS.get(word, word) for word in text.lower().replace("’", "'").split())
    if re.search(r"[0-9@#&%$£€/\\+=<>*_^~|\[\]{}]", words) or not words.isascii():
        return None
    words = re.sub(r"[^a-z']+", " ", words)
    words = re.sub(r"(?<![a-z])'(?!(?:tis|twas|em|til|cause)\b)|'(?![a-z])", "", words)  # quotation marks
    return " ".join(words.split()) or None
