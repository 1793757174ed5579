"""When an answer in words is right: one rule for each kind of question, for the model and for baselines."""

import re
from collections.abc import Sequence

from usam.data.instructions import family
from usam.data.labels import label_words, stem

FIRST_WORDS = 12
GENERIC_STEMS = frozenset({"sound", "music", "play", "nois"})
KINDS_IN_WORDS = {
    "speech": frozenset("speech speak speaks speaking say says saying said talk talks talking voice".split()),
    "music": frozenset("music musical melody song".split()),
    "sound": frozenset("sound sounds noise noises".split()),
}
_NOTHING = re.compile(
    r"(there is |i hear |i can hear )?(nothing\b|silence\b|nobody\b|no (speech|one|voices?|words?|sounds?)\b)"
    r"|i (can't|cannot|can not|don't|do not) hear\b"
)


def first_words(text: str) -> str:
    """The first words of an answer: a long list of guesses must not score by its length."""
    return " ".join(text.split()[:FIRST_WORDS])


def names(answer: str, label: str) -> bool:
    """Whether the answer's first words share a content word, stemmed, with the label."""
    return listed([first_words(answer)], label)


def listed(guesses: Sequence[str], label: str) -> bool:
    """As `names`, but all the guesses count: top-3 is three names, however long."""
    return any(content_stems(guess) & content_stems(label) for guess in guesses)


def family_listed(guesses: Sequence[str], label: str) -> bool:
    """Whether one of the guesses belongs to the label's family of instruments."""
    return any(family(guess) == family(label) for guess in guesses)


def content_stems(text: str) -> set[str]:
    """Stems of a text's content words, without those that fit every clip."""
    return {stem(word) for word in label_words(text)} - GENERIC_STEMS


def tells_kind(answer: str, kind: str) -> bool:
    """Whether `kind` is the only one of speech, sound and music that the answer names by that word."""
    return words(answer) & {*KINDS_IN_WORDS} == {kind}


def kinds_named(answer: str) -> set[str]:
    """The kinds of audio an answer speaks of, in any of their usual words."""
    said = words(first_words(answer))
    return {kind for kind, telling in KINDS_IN_WORDS.items() if said & telling}


def describes(answer: str, kind: str, label: str | None) -> bool:
    """Whether a free description names the label, or the kind and no other.

    "Sound" counts only where nothing more telling is said: speech and music are sounds too.
    """
    named = kinds_named(answer)
    return (named - {"sound"} or named) == {kind} or (label is not None and names(answer, label))


def names_mixture(answer: str, kinds: frozenset[str], label: str | None) -> bool:
    """Whether all kinds of a mixture are named; a sound or an instrument may be named by its label."""
    named = kinds_named(answer)
    if label is not None and names(answer, label):
        named |= kinds - {"speech"}
    return kinds <= named


def says(answer: str, yes: bool) -> bool:
    """Whether the answer begins with yes, or with no."""
    return re.match(r"(yes|no)\b", answer.lower()) is not None and answer.lower().startswith("yes") == yes


def refuses(answer: str) -> bool:
    """Whether the answer begins by saying that nothing, or no speech, is there to be heard."""
    return _NOTHING.match(answer.lower()) is not None


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
