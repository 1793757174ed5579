"""English sentences to read aloud: what Debian packages hold, and generated everyday talk."""

import gzip
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from usam.data.labels import spoken_words
from usam.data.synthetic.grammar import everyday_sentence

SHARE = Path("/usr/share")

# Share of the utterances drawn from each source; what is not installed is shared out among the rest.
SHARES = {
    "everyday": 0.35,
    "wordnet": 0.27,
    "endless-sky": 0.13,
    "fortunes": 0.09,
    "bible": 0.07,
    "documentation": 0.05,
    "words": 0.04,
}
# Double punctuation, speaker marks (A: ...), initials, file names, abbreviations.
_UNSPEAKABLE = re.compile(
    r"[,;:.]{2}|^.:|\b(?![aAIiOo]\b)[A-Za-z]\b(?<!'[a-z])|\.[A-Za-z.]|\b(etc|vs|St|Rev|Vol|pp|Prof)\."
)

JOINED_SHARE = 0.5  # of the texts with up to LONG words that get another sentence
LONG = 12

PACKAGES = {
    "wordnet": "wordnet-base",
    "endless-sky": "endless-sky-data",
    "fortunes": "fortunes",
    "bible": "bible-kjv",
    "documentation": "jargon-text",
    "words": "wamerican",
}


@dataclass(frozen=True)
class Sentences:
    """Sentences of every source found on this machine, shuffled by `seed`."""

    by_source: dict[str, list[str]]

    @classmethod
    def collect(cls, seed: int) -> "Sentences":
        vocabulary = frozenset(_dictionary())
        words = sorted(word for word in vocabulary if 3 <= len(word) <= 12 and word.isalpha())
        readers = {
            "wordnet": _wordnet_examples,
            "endless-sky": _endless_sky,
            "fortunes": _fortunes,
            "bible": _bible,
            "documentation": _documentation,
        }
        found = {"words": words}
        seen: set[str] = set()
        for source, read in readers.items():
            sentences = [sentence for text in read() for sentence in clean_sentences(text, vocabulary)]
            found[source] = [s for s in dict.fromkeys(sentences) if (spoken_words(s) or "") not in seen]
            seen.update(spoken_words(s) or "" for s in found[source])
        for sentences in found.values():
            np.random.default_rng(seed).shuffle(sentences)
        return cls({source: sentences for source, sentences in found.items() if sentences})

    def missing_packages(self) -> list[str]:
        """Debian packages that would add text."""
        return [package for source, package in PACKAGES.items() if source not in self.by_source]

    def draw(self, index: int, rng: np.random.Generator) -> tuple[str, str]:
        """(text, source) of utterance `index`: a sentence, or now and then up to three short ones.

        No sentence opens an utterance twice before its source is used up.
        """
        sources = ["everyday", *self.by_source]
        weights = np.array([SHARES[source] for source in sources])
        source = str(rng.choice(sources, p=weights / weights.sum()))
        text = self._sentence(source, index, rng)
        for _ in range(2):
            if len(text.split()) > LONG or rng.random() > JOINED_SHARE:
                break
            text = f"{text} {self._sentence(source, int(rng.integers(2**31)), rng)}"
        return text, source

    def _sentence(self, source: str, index: int, rng: np.random.Generator) -> str:
        if source == "everyday":
            return everyday_sentence(rng)
        sentences = self.by_source[source]
        if source == "words":
            picked = [sentences[i] for i in rng.integers(len(sentences), size=int(rng.integers(1, 7)))]
            return ", ".join(picked).capitalize() + "."
        sentence = sentences[index % len(sentences)]
        return sentence if sentence[-1] in ".!?" else f"{sentence}."


def clean_sentences(text: str, vocabulary: frozenset[str] = frozenset()) -> Iterator[str]:
    """The sentences of `text` that say how they are spoken: 3-30 words, no digits, symbols or shouting.

    With a `vocabulary`, at least nine in ten of the uncapitalised words must be in it, so that code,
    other languages and garbled lines drop out.
    """
    text = re.sub(r"\s+", " ", text.replace("``", '"').replace("''", '"').replace("--", ", "))
    for sentence in re.split(r"(?<=[.!?])[\"')]*\s+(?=[\"'(]*[A-Z])", text):
        sentence = re.sub(r"\s+([,.!?;:])", r"\1", sentence.strip(" \"'*-()")).strip()
        words = re.findall(r"[A-Za-z']+", sentence)
        if not 3 <= len(words) <= 30 or not re.fullmatch(r"[A-Za-z ,.?!;:'\"()-]+", sentence):
            continue
        if any(len(word) > 16 or (len(word) > 1 and word.isupper()) for word in words):
            continue
        if _UNSPEAKABLE.search(sentence):
            continue
        if spoken_words(sentence) is None:
            continue
        plain = [word for word in words if word.islower()]
        if vocabulary and plain and sum(word in vocabulary for word in plain) < 0.9 * len(plain):
            continue
        yield sentence[0].upper() + sentence[1:]


def _read(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", errors="ignore")


def _dictionary() -> Iterator[str]:
    path = SHARE / "dict/american-english"
    if path.is_file():
        yield from (word for word in _read(path).split() if word.islower() and word.isascii())


def _wordnet_examples() -> Iterator[str]:
    """Usage examples inside the glosses: short, idiomatic, of a wide vocabulary."""
    for path in sorted((SHARE / "wordnet").glob("data.*")):
        yield from re.findall(r'"([^"\n]{10,})"', _read(path))


def _endless_sky() -> Iterator[str]:
    """Dialogue and descriptions, between backticks; those with a placeholder (<planet>) fall out later."""
    for path in sorted((SHARE / "games/endless-sky/data").glob("**/*.txt")):
        yield from re.findall(r"`([^`\n]{12,})`", _read(path))


def _fortunes() -> Iterator[str]:
    folder = SHARE / "games/fortunes"
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.suffix and not path.name.startswith("ascii"):
            quotes = re.split(r"\n%\n", _read(path))
            yield from (re.split(r"\n\s*-- ", quote)[0] for quote in quotes)  # without the author


def _bible() -> Iterator[str]:
    try:
        run = subprocess.run(["bible", "-f", "ge1:1-re22:21"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return
    yield from (re.sub(r"^\S+:\d+ ", "", line) for line in run.stdout.splitlines())


def _documentation() -> Iterator[str]:
    """Running prose: paragraphs of at least two lines that begin like a sentence."""
    paths: Iterable[Path] = chain(
        (SHARE / "doc/jargon-text").glob("*.txt.gz"), sorted((SHARE / "doc").glob("*/README*"))
    )
    for path in paths:
        if path.is_file():
            paragraphs = re.split(r"\n\s*\n", _read(path))
            yield from (p for p in paragraphs if "\n" in p and re.match(r"\s*[A-Z][a-z]*[ ,']", p))
