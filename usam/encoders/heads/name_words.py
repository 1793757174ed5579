"""Names of sounds and instruments as words: what counts as content, and when two names are about the same."""

import re

_STOP_WORDS = frozenset(
    re.findall(r"\w+", "a an the of in on at to and or with by for from into its is no not off up down")
)


def label_words(label: str) -> list[str]:
    """Content words of a sound or instrument label, lowercased, in order: `Hi-hat, open` -> hi, hat, open."""
    words = re.findall(r"[a-z0-9']+", label.lower())
    return [word for word in dict.fromkeys(words) if word not in _STOP_WORDS]


def stem(word: str) -> str:
    """A word without its ending, so that `dog` is `dogs` and `howl` is `howling`."""
    return re.sub(r"(ing|s|es|ed)$", "", word) if len(word) > 4 else word.rstrip("s")


def stems(text: str) -> set[str]:
    """The stems of the content words of a label, a name or a question."""
    return {stem(word) for word in label_words(text)}
