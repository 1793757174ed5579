"""What is in a scene, in sentences a person would say."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from usam.data.instructions import article, same_name
from usam.data.scenes.scene import Part
from usam.data.scenes.wordings import MOODS, TEMPI, VERBS

NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four"}


def listed(names: Sequence[str], last: str = "or") -> str:
    """`a dog`; `a dog or a wolf`; `a dog, a wolf or a fox`."""
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def some(names: Sequence[str], count: int, random: Random) -> list[str]:
    """At most `count` of the names."""
    return random.sample(list(names), min(count, len(names)))


def what(part: Part) -> str:
    """The part as the object of "I hear"."""
    if part.kind == "speech":
        who = f"a {part.speaker}" if part.speaker else "someone"
        return f"{who} speaking" + (
            f" {part.language}" if part.language and part.language != "English" else ""
        )
    if not part.names:
        return "music" if part.kind == "music" else "a sound"
    return listed([article(name) for name in part.names[:3]])


def sentence(part: Part) -> str:
    """The part in a sentence without its full stop."""
    if part.kind == "speech":
        who = f"a {part.speaker}" if part.speaker else "someone"
        return f"{who} says: {part.text.rstrip('.')}" if part.text else f"{who} speaks"
    if part.kind == "music":
        manner = [tag for tag in part.tags if tag in TEMPI | MOODS][:2]
        playing = f"music with {what(part)} plays" if part.names else "music plays"
        return playing + (f", {listed(manner, 'and')}" if manner else "")
    if not part.names:
        return "a sound is heard"
    verb = VERBS.get(part.names[0].split()[-1])
    return f"{what(part)} {verb}" if verb else f"the sound of {what(part)} is heard"


def background(part: Part) -> str:
    """What is behind the speech: its names, or its kind where nobody could tell them."""
    if part.behind:
        return listed([article(name) for name in part.behind[:2]])
    return "music" if part.behind_kind == "music" else "a sound"


def heard_in(parts: Sequence[Part]) -> str:
    """All parts as the object of "I hear"."""
    return listed([what(part) for part in parts], "and")


def in_order(parts: Sequence[Part]) -> str:
    """All parts in one sentence without its full stop."""
    return ", then ".join(map(sentence, parts))


def counted(count: int) -> str:
    return NUMBERS.get(count, str(count))


def unheard(names: Sequence[str], parts: Sequence[Part], random: Random) -> list[str]:
    """A few of the names that are no other words for what is heard."""
    every = [name for part in parts for name in (*part.names, *part.behind)]
    return [name for name in some(names, 8, random) if not same_name(name, every)]


def stopped(text: str) -> str:
    """As a sentence: with a capital, and a full stop unless what is quoted last ends it."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(("!", "?", "…")) else ".")


def brief(part: Part, parts: Sequence[Part], random: Random) -> str:
    """How a question refers to a part: by its name, or by its kind where no other is of that kind."""
    alone = sum(one.kind == part.kind for one in parts) == 1
    name = part.speaker if part.kind == "speech" else next(iter(part.names), None)
    return f"the {part.kind}" if name is None or (alone and random.random() < 0.5) else f"the {name}"
