"""Questions as people ask them, in words that no training asked in: whether it is a woman, whether one thing
comes before another, how many speak, whether music is behind the speech, how someone feels.

Yes is right as often as no.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from usam.data.instructions import article, family
from usam.evaluation.clips import TestClip, TestSet, voiced
from usam.evaluation.content_questions import kind_of, labels_of_parts, reference
from usam.evaluation.judging import (
    chooses,
    counts_one,
    declines,
    describes,
    different,
    names_no_instrument,
    names_part,
    says,
)
from usam.evaluation.questions import NAME_TOKENS, YES_NO_TOKENS, Judge, Question

FIGURE = "free question"
EACH = 20  # questions of a sort, at most

SPEAKER = ("Would you say it is a {} talking?", "So that would be a {}?")
SUMMARY = ("In a few words, what is this recording?", "Say briefly what one hears.")
INSTRUMENTS = ("Name any instruments in it.", "Does an instrument sound here, and if so, which one?")
CHOICE = ("Which is it: {} or {}?", "Would you call it {} or {}?")
FEELINGS = ("Does the person seem cheerful?", "In what spirits is the person talking?")
MUSIC_BEHIND = ("Does music accompany the voice?", "Is the voice set to music?")
LANGUAGE = ("Are they talking in {}?", "Would that be {} they speak?")
OTHER_LANGUAGES = ("Russian", "Italian", "French", "Spanish")
EARLIER = ("Is {} earlier than {}?", "Have we heard {} by the time of {}?")
FIRST_OF_TWO = "Which of the two is earlier, {} or {}?"
PEOPLE = ("How many speakers can be made out?", "Count the people who talk.")


def free_questions(clips: TestSet) -> list[Question]:
    """All sorts, at most EACH of one, as `free question` and by sort."""
    random = Random(0)
    speech = [clip for clip in clips.single if clip.kinds == {"speech"}]
    named = [clip for clip in clips.single if clip.label and clip.kinds != {"speech"}]
    return [
        *speaker(clips.speakers, random),
        *summary(clips.single, random),
        *instruments([clip for clip in clips.single if clip.kinds != {"music"}], random),
        *choice(named, random),
        *feelings(speech, random),
        *music_behind(clips.mixed, speech, random),
        *language(clips.sentences, random),
        *earlier(clips.composites),
        *people(speech, random),
    ]


def speaker(clips: Sequence[TestClip], random: Random) -> list[Question]:
    found = []
    for who in ("man", "woman"):
        for index, clip in enumerate(drawn([c for c in clips if c.speaker == who], EACH // 2, random)):
            asked = ("woman", "man")[index % 2]
            text = SPEAKER[index // 2 % 2].format(asked)
            found.append(question("speaker", clip, text, partial(says, yes=asked == who), YES_NO_TOKENS))
    return found


def summary(clips: Sequence[TestClip], random: Random) -> list[Question]:
    found = []
    for index, clip in enumerate(drawn(clips, EACH, random)):
        [kind] = clip.kinds
        judge = partial(describes, kind=kind, label=None if kind == "speech" else clip.label)
        found.append(question("summary", clip, SUMMARY[index % 2], judge))
    return found


def instruments(clips: Sequence[TestClip], random: Random) -> list[Question]:
    """Of clips in which none plays."""
    silent = [clip for clip in clips if not family(clip.label or "")]
    return [
        question("no instrument", clip, INSTRUMENTS[index % 2], names_no_instrument)
        for index, clip in enumerate(drawn(silent, EACH, random))
    ]


def choice(clips: Sequence[TestClip], random: Random) -> list[Question]:
    """The clip's own label and another's of the same kind, in either order."""
    found = []
    for index, clip in enumerate(drawn(clips, EACH, random)):
        label = clip.label or ""
        others = [
            one.label
            for one in clips
            if one.kinds == clip.kinds and one.label and different(label, one.label)
        ]
        if not others:
            continue
        other = random.choice(others)
        both = [article(label.lower()), article(other.lower())]
        text = CHOICE[index % 2].format(*(both if index % 4 < 2 else both[::-1]))
        found.append(question("choice", clip, text, partial(chooses, label=label, other=other)))
    return found


def feelings(clips: Sequence[TestClip], random: Random) -> list[Question]:
    return [
        question("feelings", clip, FEELINGS[index % 2], partial(declines, label=None))
        for index, clip in enumerate(drawn(clips, EACH // 2, random))
    ]


def music_behind(mixed: Sequence[TestClip], speech: Sequence[TestClip], random: Random) -> list[Question]:
    there = drawn([clip for clip in mixed if "music" in clip.kinds], EACH // 2, random)
    absent = drawn(speech, len(there), random)
    return [
        question("music behind", clip, MUSIC_BEHIND[index % 2], partial(says, yes=yes), YES_NO_TOKENS)
        for clips, yes in ((there[: len(absent)], True), (absent, False))
        for index, clip in enumerate(clips)
    ]


def language(clips: Sequence[TestClip], random: Random) -> list[Question]:
    """Of English, whether it is English or another."""
    found = []
    for index, clip in enumerate(drawn(clips, EACH, random)):
        yes = index % 2 == 0
        text = LANGUAGE[index // 2 % 2].format("English" if yes else random.choice(OTHER_LANGUAGES))
        found.append(question("language", clip, text, partial(says, yes=yes), YES_NO_TOKENS))
    return found


def earlier(clips: Sequence[TestClip]) -> list[Question]:
    """Of two neighbours among three clips in a row, whether the one is earlier, and which."""
    found = []
    for index, clip in enumerate(clips[:EACH]):
        before = index % (len(clip.parts) - 1)
        pair = [clip.parts[before], clip.parts[before + 1]]
        one, other = map(reference, pair)
        yes = index % 4 < 2
        texts = (one, other) if yes else (other, one)
        if index % 2:
            judge: Judge = partial(names_part, kind=kind_of(pair[0]), labels=labels_of_parts(clip))
            found.append(question("earlier", clip, FIRST_OF_TWO.format(*texts), judge))
        else:
            text = EARLIER[index // 4 % 2].format(*texts)
            found.append(question("earlier", clip, text, partial(says, yes=yes), YES_NO_TOKENS))
    return found


def people(clips: Sequence[TestClip], random: Random) -> list[Question]:
    return [
        question("people", clip, PEOPLE[index % 2], counts_one)
        for index, clip in enumerate(drawn([c for c in clips if not voiced(c)], EACH // 2, random))
    ]


def drawn(clips: Sequence[TestClip], count: int, random: Random) -> list[TestClip]:
    return random.sample(list(clips), min(count, len(clips)))


def question(sort: str, clip: TestClip, text: str, judge: Judge, tokens: int = NAME_TOKENS) -> Question:
    return Question(clip, text, tokens, dict.fromkeys((FIGURE, f"{FIGURE}, {sort}"), judge))
