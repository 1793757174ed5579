"""When an answer in words is right: one rule for each kind of question, for the model and for baselines."""

import re
from collections.abc import Mapping, Sequence

from transformers.models.whisper.tokenization_whisper import LANGUAGES

from usam.data.instructions import family
from usam.encoders.heads.name_words import stems

FIRST_WORDS = 12
GENERIC_STEMS = frozenset({"sound", "music", "play", "nois"})
KINDS_IN_WORDS = {
    "speech": frozenset("speech speak speaks speaking say says saying said talk talks talking voice".split()),
    "music": frozenset("music musical melody song".split()),
    "sound": frozenset("sound sounds noise noises".split()),
}
SPEAKERS_IN_WORDS = {
    "man": frozenset("man male men gentleman guy".split()),
    "woman": frozenset("woman female women lady".split()),
    "child": frozenset("child kid boy girl children".split()),
}
_SPOKEN_OF = KINDS_IN_WORDS["speech"].union({"person", "speaker"}, *SPEAKERS_IN_WORDS.values())
_LANGUAGES = frozenset(LANGUAGES.values())  # lowercase
_QUOTED = re.compile(r"(?:(?<=says)|(?<=saying)|(?<=said))\b.*|(?:(?<=speaking)|(?<=speech)):.*", re.DOTALL)
_NOT_TOLD = re.compile(
    r"\b(?:not|never|nothing|no way|impossible|unable|(?:ca|do|does|did|is|could)n't|cannot)\b"
    r"(?: \w+){0,3}? "
    r"(?:tells?|told|says?|said|knows?|known|mention(?:s|ed)?|given|stated|clear|determined?)\b"
    r"|\b(?:unknown|unclear|no (?:information|idea))\b"
)
_NO_MUSIC = re.compile(r"\bno (?:music|instruments?)\b")
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
    return stems(text) - GENERIC_STEMS


def different(label: str, other: str) -> bool:
    """Whether two labels cannot be true of one clip: no shared word, no shared family of instruments."""
    related = family(label) is not None and family(label) == family(other)
    return not related and not content_stems(label) & content_stems(other)


def tells_kind(answer: str, kind: str) -> bool:
    """Whether `kind` is the only one of speech, sound and music that the answer names by that word."""
    return words(answer) & {*KINDS_IN_WORDS} == {kind}


def kinds_named(answer: str) -> set[str]:
    """The kinds of audio an answer speaks of, in any of their usual words."""
    spoken = words(first_words(answer))
    return {kind for kind, telling in KINDS_IN_WORDS.items() if spoken & telling}


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


def names_speaker(answer: str, speaker: str) -> bool:
    """Whether of man, woman and child the answer names this one alone."""
    spoken = words(first_words(answer))
    return {who for who, telling in SPEAKERS_IN_WORDS.items() if spoken & telling} == {speaker}


def names_language(answer: str, language: str) -> bool:
    """Whether the answer names this language, by its English name, and no other."""
    return words(first_words(answer)) & _LANGUAGES == {language.lower()}


def names_part(answer: str, kind: str, labels: Mapping[str, str | None]) -> bool:
    """Whether of the parts of a clip, one of each kind in `labels`, the answer speaks of this one alone.

    A part is spoken of by its label or by a word of its kind; an instrument is a word of music, whichever it
    is, as far as it does not name the sound. "Sound" counts only where nothing more telling is said. What a
    speaker is quoted with is no word about the clip.
    """
    about = first_words(_QUOTED.sub("", answer.lower()))
    spoken = words(about)
    by_label = {part for part, label in labels.items() if label is not None and names(about, label)}
    found = set(by_label)
    if spoken & _SPOKEN_OF:
        found.add("speech")
    if spoken & KINDS_IN_WORDS["music"] or ("sound" not in by_label and family(about) is not None):
        found.add("music")
    if not found and spoken & KINDS_IN_WORDS["sound"]:
        found.add("sound")
    return found == {kind}


def declines(answer: str, label: str | None) -> bool:
    """Whether the answer says that the clip does not tell, without naming what is heard all the same."""
    about = _QUOTED.sub("", first_words(answer).lower().replace("’", "'"))
    return _NOT_TOLD.search(about) is not None and not (label is not None and names(answer, label))


def chooses(answer: str, label: str, other: str) -> bool:
    """Whether of two names the answer gives the label alone."""
    return names(answer, label) and not names(answer, other)


def names_no_instrument(answer: str) -> bool:
    """Whether the answer names no instrument, and does not say that music plays."""
    about = _NO_MUSIC.sub("", first_words(answer).lower())
    return family(about) is None and not words(about) & KINDS_IN_WORDS["music"]


def counts_one(answer: str) -> bool:
    """Whether the answer counts one, and no more."""
    counted = words(first_words(_QUOTED.sub("", answer.lower())))
    return bool(counted & {"one", "single", "a"}) and not counted & {"two", "three", "several", "many", "and"}


def says(answer: str, yes: bool) -> bool:
    """Whether the answer begins with yes, or with no."""
    return re.match(r"(yes|no)\b", answer.lower()) is not None and answer.lower().startswith("yes") == yes


def refuses(answer: str) -> bool:
    """Whether the answer begins by saying that nothing, or no speech, is there to be heard."""
    return _NOTHING.match(answer.lower()) is not None


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
