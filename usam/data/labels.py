"""Labels and transcripts as people say them."""

import re

_ABBREVIATIONS = {"mr.": "mister", "mrs.": "missus", "dr.": "doctor", "hon.": "honourable"}


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


def plain_label(label: str) -> str:
    """A label as people say it: `Tom (drum machine)` is `tom`, a `hi hat` a `hi-hat`."""
    return re.sub(r"\bhi hat", "hi-hat", " ".join(re.sub(r"\(.*?\)", " ", label.lower()).split()))
