"""What is written beside a checkpoint."""

from pathlib import Path

from usam.engine.engine import Engine
from usam.evaluation.ablations.deletion import deletion
from usam.evaluation.answering import ask
from usam.evaluation.clips import TestSet
from usam.evaluation.metrics import share
from usam.evaluation.question_sets import question_sets
from usam.evaluation.questions import score
from usam.evaluation.report import table, write
from usam.evaluation.routing import separation


def test_everything_is_written_beside_the_checkpoint(tmp_path: Path, engine: Engine, clips: TestSet) -> None:
    sets = question_sets(clips)
    questions = [question for asked in sets.values() for question in asked]
    replies = ask(engine, questions)
    scores = score(questions, [reply.text for reply in replies])
    result = {
        "model": {"preset": "tiny"},
        "scores": scores,
        "baselines": {"Nobody": {"kind told": share([True, False])}},
        "router": separation([("speech", replies[0].routing), ("music", replies[1].routing)]),
        "deletion": deletion(engine, questions[:4], replies[:4]),
    }
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    write(result, folder)
    assert {file.name for file in folder.iterdir()} == {
        "evaluation.json",
        "evaluation.md",
        "evaluation.png",
        "routing.json",
    }
    assert (folder / "evaluation.png").stat().st_size < 150_000
    text = table(result)
    assert "Nobody 0.500" in next(line for line in text.splitlines() if line.startswith("| kind told |"))
    assert len({line.count("|") for line in text.splitlines()}) == 1  # every row has every column
