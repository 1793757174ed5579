"""A simulated annotator with a known taste: does `usam tune` make the model follow it, and forget nothing?

    python -m benchmarks.teach --data audio [--votes 150] [--minutes 15] [--json]

The taste: one short sentence, no alternatives ("a dog or a wolf", "or perhaps"), transcripts with a capital
and a full stop. Two answers to each question about clips of the training part are drawn from the engine at a
temperature, kept in a database as the app does, and voted on; a second annotator votes at random. Both are
learned from with `usam tune`. Whether the taste is followed is measured on held-out clips and on questions
that were never asked. `--data` is a folder of labelled clips with a manifest.csv.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from storage import Feedback, open_database
from usam.data.corpus import KINDS, Example, read_corpus
from usam.data.instructions import MUSIC, OPEN, SOUND, TRANSCRIBE
from usam.data.splits import split
from usam.engine.engine import Engine
from usam.evaluation.regression import gate

ASKED = {"speech": TRANSCRIBE[:3], "sound": SOUND[:4] + OPEN[:3], "music": MUSIC[:4] + OPEN[:3]}
NEVER_ASKED = {"speech": TRANSCRIBE[3:], "sound": SOUND[4:] + OPEN[3:], "music": MUSIC[4:] + OPEN[3:]}
TASKS = {"speech": "asr", "sound": "qa", "music": "qa"}
LONGEST = 8.0  # seconds of a clip
SHORT = 12  # words of a sentence
FEWER = 2  # words, from which on one answer is shorter than another
TOKENS = 40
TEMPERATURE = 1.0


@dataclass(frozen=True)
class Question:
    example: Example
    text: str

    @property
    def task(self) -> str:
        return TASKS[self.example.kind]


def questions(
    examples: Sequence[Example], asked: dict[str, tuple[str, ...]], count: int, seed: int
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
        return text[:1].isupper() + text.endswith((".", "!", "?"))
    sentences = len(re.findall(r"[.!?](?:\s|$)", text))
    alternatives = re.search(r"\bor\b|\bperhaps\b", text)
    return (sentences == 1) + (not alternatives) + (0 < len(text.split()) <= SHORT)


def follows(answer: str, task: str) -> bool:
    """Whether an answer fulfils every wish."""
    return points(answer, task) == (2 if task == "asr" else 3)


def vote(a: str, b: str, task: str) -> str:
    """The winner of two answers; of equally good descriptions the shorter one, if it is by some words."""
    one, other = points(a, task), points(b, task)
    shorter = len(b.split()) - len(a.split())
    if one == other and task != "asr" and abs(shorter) >= FEWER:
        return "a" if shorter > 0 else "b"
    return "tie" if one == other else "a" if one > other else "b"


def collect(
    engine: Engine, asked: Sequence[Question], folders: dict[str, Path], votes: int, seed: int
) -> int:
    """Answers to each question, kept and voted on in the database of each annotator, until there are enough
    votes of the one with a taste; returns their number."""
    random = Random(seed)
    people = {
        name: Feedback(open_database(f"sqlite:///{folder / 'feedback.db'}"))
        for name, folder in folders.items()
    }
    counted = 0
    for number, question in enumerate(asked):
        if counted == votes:
            break
        options = {"task": question.task, "temperature": TEMPERATURE, "max_new_tokens": TOKENS}
        answers = [
            engine.ask(question.example.path, question.text, seed=2 * number + side, **options)
            for side in (0, 1)
        ]
        winner = vote(answers[0].text, answers[1].text, question.task)
        if winner == "tie":
            continue
        counted += 1
        for name, feedback in people.items():
            kept = [
                feedback.record_answer(one.to_json(), annotator=name, audio_path=str(question.example.path))
                for one in answers
            ]
            chosen = winner if name == "taste" else random.choice("ab")
            feedback.compare(kept[0], kept[1], name, chosen)  # type: ignore[arg-type]
        print(f"{counted} of {votes} votes", file=sys.stderr, flush=True)
    for feedback in people.values():
        feedback.database.close()
    return counted


def tune(data: Path, output: Path, work: Path, minutes: float) -> dict[str, Any]:
    """`usam tune` in a process of its own; its record. Raises CalledProcessError."""
    command = [
        sys.executable, "-m", "usam", "tune", "--data", str(data), "--output", str(output),
        "--work", str(work), "--minutes", str(minutes), "--priority", "normal",
    ]  # fmt: skip
    ran = subprocess.run(command, check=False)
    if ran.returncode not in (0, 3):
        ran.check_returncode()
    return json.loads((output / "tuning.json").read_text())


def followed(engine: Engine, asked: Sequence[Question]) -> float:
    """Share of likeliest answers that follow the taste."""
    options = {"max_new_tokens": TOKENS}
    answers = [engine.ask(one.example.path, one.text, task=one.task, **options) for one in asked]
    right = [follows(answer.text, one.task) for one, answer in zip(asked, answers, strict=True)]
    return sum(right) / len(right)


def measure(data: Path, work: Path, votes: int, minutes: float, tests: int, seed: int) -> dict[str, Any]:
    train, heldout = split(read_corpus(data))
    folders = {name: work / name for name in ("taste", "random")}
    parent = Engine.load()
    counted = collect(parent, questions(train, ASKED, 3 * votes, seed), folders, votes, seed)
    unseen = questions(heldout, NEVER_ASKED, tests, seed)
    before = followed(parent, unseen)
    found: dict[str, Any] = {
        "votes": counted,
        "questions_asked": len(unseen),
        "taste_before": round(before, 4),
    }
    checkpoint = parent.checkpoint
    del parent
    for name, folder in folders.items():
        began = time.monotonic()
        record = tune(folder, work / f"{name}-tuned", work / "work", minutes)
        share = before if record["after"] is None else followed(load(work / f"{name}-tuned"), unseen)
        found |= {
            f"{name}_seconds": round(time.monotonic() - began),
            f"{name}_refused": record["refused"],
            f"{name}_heldout": record["after"],
        }
        found["taste_after" if name == "taste" else "random_gain"] = round(
            share if name == "taste" else share - before, 4
        )
    figures = gate(load, checkpoint, work / "taste-tuned", data, lambda message: None)
    for key, name in (("questions_change", "questions"), ("wer_change", "transcription")):
        change = figures["tuned"][name]["value"] - figures["parent"][name]["value"]
        found[key] = round(change, 4)
    return found


def load(checkpoint: Path) -> Engine:
    return Engine.load(checkpoint=checkpoint)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.teach", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled clips with manifest.csv")
    parser.add_argument("--votes", type=int, default=150)
    parser.add_argument("--minutes", type=float, default=15.0, help="of each tuning")
    parser.add_argument("--tests", type=int, default=60, help="held-out clips that are asked about")
    parser.add_argument("--work", type=Path, help="folder to keep what is made (default: a temporary one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        found = measure(options.data, work, options.votes, options.minutes, options.tests, options.seed)
    print(json.dumps(found, indent=2) if options.json else "\n".join(f"{k}: {v}" for k, v in found.items()))


if __name__ == "__main__":
    main()
