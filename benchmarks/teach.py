"""Simulated annotators: does `usam tune` make the model follow them, and forget nothing?

    python -m benchmarks.teach --data audio [--only taste,random] [--votes 150] [--minutes 15] [--json]

`taste` votes by a known taste (`benchmarks.taste`) between two answers to each question about clips of the
training part, drawn from the engine at a temperature and kept in a database as the app does; `noisy` votes
for the other answer in a fifth of the cases, `random` at random. `corrections` corrects names of sounds that
the model gets wrong (`benchmarks.corrections`). Each is learned from with `usam tune`. Whether the taste is
followed is measured on held-out clips and on questions that were never asked. `--data` is a folder of
labelled clips with a manifest.csv. With `--work`, the same command goes on after what is done.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks import corrections
from benchmarks.taste import ANNOTATORS, ASKED, NEVER_ASKED, Question, follows, keep_votes, questions, vote
from usam.data.corpus import Example, read_corpus
from usam.data.splits import split
from usam.engine.engine import Engine
from usam.evaluation.regression import gate

WHO = (*ANNOTATORS, corrections.ANNOTATOR)
TOKENS = 40
TEMPERATURE = 1.0
FIGURES = "figures.json"

Answered = tuple[Question, list[dict[str, Any]]]


def report(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


class Stages:
    """The results of what was done, in a file: nothing is done twice."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def once(self, name: str, measure: Callable[[], Any]) -> Any:
        if name not in self.results:
            began = time.monotonic()
            self.results[name] = measure()
            report(f"{name}: {self.results[name]} ({time.monotonic() - began:.0f} s)")
            part = self.file.with_suffix(".part")
            part.write_text(json.dumps(self.results, indent=2))
            part.rename(self.file)
        return self.results[name]


def answered(
    engine: Callable[[], Engine], asked: Sequence[Question], file: Path, votes: int, seed: int
) -> list[Answered]:
    """Two answers to each question, until the taste decides between so many; those in the file are kept."""
    kept = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    found: list[Answered] = []
    decided = 0
    for number, question in enumerate(asked):
        if decided == votes:
            break
        if number == len(kept):
            options = {"task": question.task, "temperature": TEMPERATURE, "max_new_tokens": TOKENS}
            made = [
                engine().ask(question.example.path, question.text, seed=seed + 2 * number + side, **options)
                for side in (0, 1)
            ]
            kept.append([one.to_json() for one in made])
            with file.open("a") as lines:
                lines.write(json.dumps(kept[-1]) + "\n")
        records = kept[number]
        found.append((question, records))
        decided += vote(records[0]["answer"], records[1]["answer"], question.task) != "tie"
        report(f"{decided} of {votes} votes")
    return found


def tune(data: Path, output: Path, work: Path, budget: Sequence[str]) -> dict[str, Any]:
    """`usam tune` in a process of its own; its record. Raises CalledProcessError."""
    if not output.exists():
        command = [
            sys.executable, "-m", "usam", "tune", "--data", str(data), "--output", str(output),
            "--work", str(work), "--priority", "normal", *budget,
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
    return round(sum(right) / len(right), 4)


@dataclass
class Teach:
    """Measures in a work folder. budget: options of `usam tune` that bound it. tests: clips asked about."""

    data: Path
    work: Path
    votes: int
    budget: Sequence[str]
    tests: int
    seed: int

    def __post_init__(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        self.stages = Stages(self.work / FIGURES)
        settings = [str(self.data), self.votes, list(self.budget), self.tests, self.seed]
        if self.stages.once("settings", lambda: settings) != settings:
            raise SystemExit(f"{self.work} holds measurements with other settings; name another folder.")

    @cached_property
    def clips(self) -> tuple[list[Example], list[Example]]:
        return split(read_corpus(self.data))

    @cached_property
    def parent(self) -> Engine:
        return Engine.load()

    @cached_property
    def unseen(self) -> list[Question]:
        return questions(self.clips[1], NEVER_ASKED, self.tests, self.seed)

    def annotator(self, name: str) -> dict[str, Any]:
        """How far the model follows the taste before and after learning from an annotator."""
        folder = self.work / name
        before = self.stages.once("taste_before", lambda: followed(self.parent, self.unseen))
        cast = self.stages.once(f"{name}_votes", lambda: self._vote(name, folder))
        record = self._tuned(name)
        after = self.stages.once(
            f"{name}_after",
            lambda: followed(load(self._output(name)), self.unseen) if record["after"] else before,
        )
        found = {
            "questions_asked": len(self.unseen),
            "taste_before": before,
            f"{name}_votes": cast,
            f"{name}_heldout": record["after"],
            f"{name}_kept": record["kept"],
            f"{name}_refused": record["refused"],
        }
        key = "taste_after" if name == "taste" else f"{name}_gain"
        return found | {key: after if name == "taste" else round(after - before, 4)}

    def corrections(self) -> dict[str, Any]:
        """How many names of sounds are right on other clips of sounds that were corrected, and on others."""
        name = corrections.ANNOTATOR
        train, heldout = self.clips
        known = {f"{one.path}": one for one in train}
        asked = self.stages.once(
            f"{name}_clips",
            lambda: [
                str(one.path)
                for one in corrections.correct(
                    self.parent, train, fresh(self.work / name), self.votes, self.seed, report
                )
            ],
        )
        same = [known[path] for path in asked]
        labels = {one.label for one in same}
        others = [one for one in heldout if one.kind != "speech" and one.label and one.label not in labels]
        others = [one for one in others if one.seconds <= corrections.LONGEST][: self.tests]
        found: dict[str, Any] = {}
        for what, clips in (("corrected", same), ("other", others)):
            found |= corrections.figures(clips, *self._named(what, clips), what)
        record = self._tuned(name)
        return found | {"corrections_heldout": record["after"], "corrections_refused": record["refused"]}

    def _named(self, what: str, clips: Sequence[Example]) -> tuple[list[str], list[str]]:
        """What each clip is called before and after the corrections."""
        before = self.stages.once(f"{what}_before", lambda: corrections.answers(self.parent, clips))
        learned = self._tuned(corrections.ANNOTATOR)["after"]
        after = self.stages.once(
            f"{what}_after",
            lambda: (
                corrections.answers(load(self._output(corrections.ANNOTATOR)), clips) if learned else before
            ),
        )
        return before, after

    def public(self) -> dict[str, Any]:
        """What the public evaluation says of the model that learned the taste, less what it said before."""
        figures = self.stages.once(
            "public", lambda: gate(load, self.parent.checkpoint, self._output("taste"), self.data, report)
        )
        return {
            key: round(figures["tuned"][name]["value"] - figures["parent"][name]["value"], 4)
            for key, name in (("questions_change", "questions"), ("wer_change", "transcription"))
        }

    def _vote(self, name: str, folder: Path) -> int:
        asked = questions(self.clips[0], ASKED, 3 * self.votes, self.seed)
        made = answered(lambda: self.parent, asked, self.work / "answers.jsonl", self.votes, self.seed)
        return keep_votes(fresh(folder), name, made, self.seed)

    def _tuned(self, name: str) -> dict[str, Any]:
        self.__dict__.pop("parent", None)  # one model in memory
        found: dict[str, Any] = self.stages.once(
            f"{name}_tuned",
            lambda: tune(self.work / name, self._output(name), self.work / "work", self.budget),
        )
        return found

    def _output(self, name: str) -> Path:
        return self.work / f"{name}-tuned"


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def load(checkpoint: Path) -> Engine:
    return Engine.load(checkpoint=checkpoint)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.teach", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled clips with manifest.csv")
    parser.add_argument(
        "--only", default="taste,random", metavar="WHO", help=f"of {', '.join(WHO)} (default: %(default)s)"
    )
    parser.add_argument("--votes", type=int, default=150, help="or corrections")
    parser.add_argument("--minutes", type=float, default=15.0, help="of each tuning")
    parser.add_argument("--steps", type=int, help="of each tuning, instead")
    parser.add_argument("--tests", type=int, default=60, help="held-out clips that are asked about")
    parser.add_argument("--no-evaluation", action="store_true", help="leave out the public evaluation")
    parser.add_argument("--work", type=Path, help="folder to keep what is made (default: a temporary one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(WHO):
        parser.error(f"--only: choose of {', '.join(WHO)}, not {', '.join(sorted(unknown))}")
    budget = ["--steps", str(options.steps)] if options.steps else ["--minutes", str(options.minutes)]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        teach = Teach(options.data, work, options.votes, budget, options.tests, options.seed)
        for name in wanted:
            found |= teach.corrections() if name == corrections.ANNOTATOR else teach.annotator(name)
        if "taste" in wanted and not options.no_evaluation:
            found |= teach.public()
    print(json.dumps(found, indent=2) if options.json else "\n".join(f"{k}: {v}" for k, v in found.items()))


if __name__ == "__main__":
    main()
