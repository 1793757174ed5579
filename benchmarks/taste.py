"""An annotator with a known taste: one short sentence, no alternatives ("a dog or a wolf", "or perhaps"),
transcripts with a capital and a full stop."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from storage import Feedback, open_database
from usam.data.corpus import Example
from usam.data.instructions import MUSIC, OPEN, SOUND, TRANSCRIBE
from usam.schema.segments import KINDS

Vote = Literal["a", "b", "tie"]

ASKED = {"speech": TRANSCRIBE[:3], "sound": SOUND[:4] + OPEN[:3], "music": MUSIC[:4] + OPEN[:3]}
NEVER_ASKED = {"speech": TRANSCRIBE[3:], "sound": SOUND[4:] + OPEN[3:], "music": MUSIC[4:] + OPEN[3:]}
TASKS = {"speech": "asr", "sound": "qa", "music": "qa"}
LONGEST = 8.0  # seconds of a clip
SHORT = 12  # words of a sentence
FEWER = 2  # words, from which on one answer is shorter than another
FLIPPED = 0.2
ANNOTATORS = {
    "taste": "votes by the taste",
    "noisy": f"votes by the taste, and {FLIPPED:.0%} of the time for the other answer",
    "random": "votes at random",
}


@dataclass(frozen=True)
class Question:
    example: Example
    text: str

    @property
    def task(self) -> str:
        return TASKS[self.example.kind]


def questions(
    examples: Sequence[Example], asked: Mapping[str, Sequence[str]], count: int, seed: int
) -> list[Question]:
    """Each kind of clip as often as another."""
    random = Random(seed)
    short = [one for one in examples if one.seconds <= LONGEST and one.language in ("en", "")]
    found = []
    for kind in KINDS:
        of_kind = [one for one in short if one.kind == kind]
        chosen = random.sample(of_kind, min(len(of_kind), -(-count // len(KINDS))))
        found += [Question(one, random.choice(asked[kind])) for one in chosen]
    random.shuffle(found)
    return found[:count]


def points(answer: str, task: str) -> int:
    """How many wishes of the annotator an answer fulfils."""
    text = answer.strip()
    if task == "asr":
        return (text[:1] != "" and not text[:1].islower()) + text.endswith((".", "!", "?"))
    sentences = len(re.findall(r"[.!?](?:\s|$)", text))
    alternatives = re.search(r"\bor\b|\bperhaps\b", text)
    return (sentences == 1) + (not alternatives) + (0 < len(text.split()) <= SHORT)


def follows(answer: str, task: str) -> bool:
    """Whether an answer fulfils every wish."""
    return points(answer, task) == (2 if task == "asr" else 3)


def vote(a: str, b: str, task: str) -> Vote:
    """The winner of two answers; of equally good descriptions the shorter one, if it is by some words."""
    one, other = points(a, task), points(b, task)
    shorter = len(b.split()) - len(a.split())
    if one == other and task != "asr" and abs(shorter) >= FEWER:
        return "a" if shorter > 0 else "b"
    return "tie" if one == other else "a" if one > other else "b"


def cast(annotator: str, by_taste: Vote, random: Random) -> Vote:
    """What one of ANNOTATORS votes where the taste decides so; ties stay."""
    if by_taste == "tie" or annotator == "taste":
        return by_taste
    if annotator == "noisy" and random.random() >= FLIPPED:
        return by_taste
    if annotator == "random":
        return random.choice(("a", "b"))
    return "b" if by_taste == "a" else "a"


def keep_votes(
    folder: Path, annotator: str, answered: Sequence[tuple[Question, Sequence[Mapping[str, Any]]]], seed: int
) -> int:
    """Keep two answers to each question, as the app does, with the annotator's vote, in a data folder of its
    own; returns the number of votes. Those on which the taste does not decide are left out."""
    random, votes = Random(seed), 0
    feedback = Feedback(open_database(f"sqlite:///{folder / 'feedback.db'}"))
    for question, records in answered:
        winner = cast(annotator, vote(records[0]["answer"], records[1]["answer"], question.task), random)
        if winner == "tie":
            continue
        path = str(question.example.path)
        a, b = (feedback.record_answer(record, annotator=annotator, audio_path=path) for record in records)
        feedback.compare(a, b, annotator, winner)
        votes += 1
    feedback.database.close()
    return votes
