"""The same checkpoint with one part taken out at inference, asked the questions that decide.

This measures how much the trained model leans on a part. What a model trained without that part could do
takes a training run of its own, see `retraining`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from usam.config import USAMConfig
from usam.engine.engine import Engine
from usam.evaluation.ablations.deletion import deletion
from usam.evaluation.answering import Reply, Report, ask
from usam.evaluation.questions import Question, score
from usam.model.model import USAM
from usam.schema.interventions import DropRedundant, ForceExpert, Intervention, ReadAll, Uniform

DECIDING = ("transcription", "sounds", "instruments", "kind")


def ablations(
    engine: Engine,
    sets: Mapping[str, Sequence[Question]],
    replies: Mapping[str, Sequence[Reply]],
    report: Report,
) -> dict[str, Any]:
    """`ablations`, the figures of every ablation by its name, and SACLM's `deletion` test."""
    questions = [question for name in DECIDING for question in sets[name]]

    def figures(intervention: Intervention | None) -> Mapping[str, Any]:
        return score(questions, [reply.text for reply in ask(engine, questions, report, intervention)])

    found: dict[str, Mapping[str, Any]] = {}
    for name, intervention in interventions(engine.config).items():
        report(name)
        found[name] = figures(intervention)
    for name, taken_out in (("no Q-Former layers", direct_path), ("no words", without_words)):
        report(name)
        with taken_out(engine.model):
            found[name] = figures(None)
    names = [name for name in DECIDING if name != "kind"]
    return {
        "ablations": found,
        "deletion": deletion(
            engine,
            [question for name in names for question in sets[name]],
            [reply for name in names for reply in replies[name]],
            report,
        ),
    }


def interventions(config: USAMConfig) -> dict[str, Intervention]:
    """Every expert alike, each expert alone, and the tokens that SACLM holds redundant: read where they are
    not, dropped where they are."""
    redundant: dict[str, Intervention] = (
        {"redundant tokens read": ReadAll()}
        if config.words
        else {"redundant tokens dropped": DropRedundant()}
    )
    alone = {f"{name} alone": ForceExpert(index) for index, name in enumerate(config.expert_names)}
    return {"uniform routing": Uniform(), **alone, **redundant}


@contextmanager
def direct_path(model: USAM) -> Iterator[None]:
    """Without the Q-Former's layers: a token is the projection of its own frames."""
    before, model.adapter.qformer.direct = model.adapter.qformer.direct, True
    try:
        yield
    finally:
        model.adapter.qformer.direct = before


@contextmanager
def without_words(model: USAM) -> Iterator[None]:
    """Without what the specialists' heads say: a token is what the experts project of its own frames."""
    model.place_words = lambda *_: ()  # type: ignore[method-assign]
    try:
        yield
    finally:
        del model.place_words
