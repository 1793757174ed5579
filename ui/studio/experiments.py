"""Experiments on a given answer: the same for the page and for programs, without Gradio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ui.engines.pool import EnginePool
from ui.studio.clips import GONE, ClipCache, HeardClip
from ui.studio.session import SessionAnswer
from ui.studio.stored_answers import audio_of
from usam.errors import RequestError
from usam.progress import ProgressCallback
from usam.schema.answer import Answer
from usam.schema.interventions import Intervention

if TYPE_CHECKING:
    from usam.audio.clip import Clip
    from usam.engine.engine import Engine
    from usam.interpretability.attribution import Attribution
    from usam.interpretability.deletion import DeletionTest
    from usam.interpretability.intervention import InterventionResult
    from usam.interpretability.replay import Replay

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class ExperimentTarget:
    """An answer to experiment on. `source` is a file to hear where the answer's audio was not kept;
    `threshold` flags the redundant tokens instead of the model's own."""

    entry: SessionAnswer
    source: str | None = None
    threshold: float | None = None


class Experiments:
    """Each runs on the model that the answer was given by. The progress gets a message and the share done,
    and may raise to cancel. All raise UsamError. Safe to share between threads."""

    def __init__(self, pool: EnginePool, clips: ClipCache) -> None:
        self.pool = pool
        self.clips = clips

    def change(
        self, target: ExperimentTarget, intervention: Intervention, progress: ProgressCallback
    ) -> InterventionResult:
        from usam.interpretability.intervention import intervene

        def use(engine: Engine, clip: Clip, answer: Answer) -> InterventionResult:
            return intervene(engine, clip, answer, intervention, progress)

        return self._on_baseline(target, use, progress)

    def deletion(
        self, target: ExperimentTarget, reference: str | None, seeds: int, progress: ProgressCallback
    ) -> DeletionTest:
        from usam.interpretability.deletion import check, deletion_test

        check(seeds, reference)

        def use(engine: Engine, clip: Clip, answer: Answer) -> DeletionTest:
            return deletion_test(engine, clip, answer, seeds, reference, progress)

        return self._on_baseline(target, use, progress)

    def attribution(self, target: ExperimentTarget, progress: ProgressCallback) -> Attribution:
        """By occlusion of a window at a time."""
        from usam.interpretability.attribution import attribute

        def use(engine: Engine, clip: Clip, answer: Answer) -> Attribution:
            return attribute(engine, clip, answer, engine.config.queries_per_window, progress)

        return self._on_baseline(target, use, progress)

    def replay(self, target: ExperimentTarget, progress: ProgressCallback) -> Replay:
        from usam.interpretability.replay import replay

        answer, clip = target.entry.answer, self._clip(target)
        return self.pool.run_on(answer.model, lambda engine: replay(engine, clip, answer, progress), progress)

    def other_model(
        self, target: ExperimentTarget, checkpoint: str, quantization: str, progress: ProgressCallback
    ) -> tuple[Answer, HeardClip]:
        """The same question about the same clip, answered by another model."""
        from usam.interpretability.intervention import rerun

        answer, audio = target.entry.answer, audio_of(target.entry, target.source, self.clips)
        clip = _clip(audio)

        def use(engine: Engine) -> Answer:
            if engine.model_info.same_as(answer.model):
                raise RequestError("This model gave the answer on display. Choose another one.")
            return rerun(engine, clip, answer, answer.intervention, progress)

        return self.pool.run_on_checkpoint(checkpoint, quantization, use, progress), audio

    def _clip(self, target: ExperimentTarget) -> Clip:
        return _clip(audio_of(target.entry, target.source, self.clips))

    def _on_baseline(
        self,
        target: ExperimentTarget,
        use: Callable[[Engine, Clip, Answer], Result],
        progress: ProgressCallback,
    ) -> Result:
        """Give `use` the engine, the clip, and the answer with its own tokens, its redundancy as the viewer
        shows it.

        An answer is generated again first where its token ids were not stored yet, or its checkpoint is gone.
        Raises UsamError, also when the text differs: then nobody could tell what the experiment changed.
        """
        from usam.interpretability.replay import replay

        recorded, clip = target.entry.answer, self._clip(target)

        def prepared(engine: Engine) -> Result:
            answer = recorded
            if not answer.ids or not engine.model_info.same_as(answer.model):
                again = replay(engine, clip, answer, progress)
                if not again.same_answer:
                    raise RequestError(
                        "No experiment can be run on this stored answer: generated again, it is "
                        f"“{again.answer.text}”. {again.verdict()}"
                    )
                answer = again.answer
            if target.threshold is not None:
                answer = replace(answer, trace=answer.trace.flagged(target.threshold))
            return use(engine, clip, answer)

        return self.pool.run_on(recorded.model, prepared, progress)


def _clip(audio: HeardClip) -> Clip:
    clip = audio.get()
    if clip is None:
        raise RequestError(GONE)
    return clip
