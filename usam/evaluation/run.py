"""One evaluation from a loaded engine and a data folder to all figures."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from usam.engine.engine import Engine
from usam.evaluation.ablations.inference import ablations
from usam.evaluation.answering import Reply, Report, ask
from usam.evaluation.baselines.linear_probe import probe
from usam.evaluation.baselines.specialists import baselines
from usam.evaluation.clips import TestClip, read_clips
from usam.evaluation.question_sets import question_sets
from usam.evaluation.questions import Question, score
from usam.evaluation.routing import separation
from usam.schema.segments import KINDS

VERBATIM = 8  # answers of each set of questions that are kept word by word


@dataclass(frozen=True)
class Options:
    """limit: at most so many clips of each kind. heldout: names of further clips that were kept out.
    work: a folder for Whisper's texts and the linear probe's pooled frames, which every checkpoint shares;
    without one the probe is left out. packages: where fillets-ng's speech is, to be translated."""

    data: Path
    limit: int | None = None
    heldout: Sequence[str] = ()
    baselines: bool = False
    ablations: bool = False
    work: Path | None = None
    packages: Path | None = None


def evaluate(engine: Engine, options: Options, report: Report = lambda message: None) -> dict[str, Any]:
    """All figures as one JSON object: `scores` of the model, and those of baselines and ablations by name.

    Raises CorpusError if the folder has no manifest.
    """
    started = time.monotonic()
    if options.work is not None:
        options.work.mkdir(parents=True, exist_ok=True)
    clips = read_clips(options.data, options.limit, options.heldout, options.packages)
    sets = question_sets(clips)
    questions = [question for asked in sets.values() for question in asked]
    found = ask(engine, questions, report)
    replies = regroup(sets, found)
    result: dict[str, Any] = {
        "model": vars(engine.model_info),
        "clips": {kind: len(clips.of(kind)) for kind in KINDS}
        | {"mixture": len(clips.mixed), "silence": len(clips.silent)},
        "scores": score(questions, [reply.text for reply in found]),
        "router": separation(
            [
                (kind, reply.routing)
                for question, reply in zip(sets["kind"], replies["kind"], strict=True)
                for kind in question.clip.kinds
            ]
        ),
    }
    if options.baselines:
        result["baselines"] = baselines(engine, sets, options.work, report)
        if options.work is None:
            report("The linear probe is left out: it needs a folder for its frames, --work.")
        else:
            result["baselines"]["linear probe"] = probe(
                list(engine.model.encoders),  # type: ignore[arg-type]
                clips,
                options.data,
                options.heldout,
                options.work,
                report,
            )
    if options.ablations:
        result |= ablations(engine, sets, replies, report)
    result["kind_missed"] = [
        answered(question, reply)
        for question, reply in zip(sets["kind"], replies["kind"], strict=True)
        if not question.judges["kind told"](reply.text)
    ]
    result["verbatim"] = verbatim(sets, replies)
    result["seconds"] = round(time.monotonic() - started, 1)
    return result


def regroup(sets: Mapping[str, Sequence[Question]], replies: Sequence[Reply]) -> dict[str, list[Reply]]:
    """The replies to all sets of questions in a row, set by set."""
    remaining = iter(replies)
    return {name: [next(remaining) for _ in asked] for name, asked in sets.items()}


def truth(clip: TestClip) -> str:
    """What is true of a clip, in words: its kinds if they are several, or nothing else is known."""
    if len(clip.kinds) == 1 and (clip.transcript or clip.label):
        return clip.transcript or clip.label or ""
    return " + ".join(sorted(clip.kinds)) or "nothing"


def answered(question: Question, reply: Reply) -> dict[str, str]:
    return {
        "clip": question.clip.name,
        "truth": truth(question.clip),
        "question": question.text,
        "answer": reply.text,
    }


def verbatim(
    sets: Mapping[str, Sequence[Question]], replies: Mapping[str, Sequence[Reply]]
) -> list[dict[str, str]]:
    """The first answers of every fixed list, unpicked."""
    return [
        answered(question, reply)
        for name, asked in sets.items()
        for question, reply in list(zip(asked, replies[name], strict=True))[:VERBATIM]
    ]
