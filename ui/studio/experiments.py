"""What can be tried on an answer that is there: the same for the page and for programs, free of Gradio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ui.engines.pool import Models, same_model
from ui.studio.session import Entry
from ui.studio.stored_answers import Listen, clip_of
from usam.errors import RequestError
from usam.progress import Progress
from usam.schema.interventions import Intervention
from usam.schema.trace import Answer

if TYPE_CHECKING:
    from usam.audio.clip import Clip
    from usam.engine.engine import Engine
    from usam.interpretability.attribution import Attribution
    from usam.interpretability.deletion import DeletionTest
    from usam.interpretability.intervention import Intervened
    from usam.interpretability.replay import Replay

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Subject:
    """An answer to try something on. `source` is a file to hear where the answer's audio was not kept;
    `threshold` flags the redundant tokens instead of the model's own."""

    entry: Entry
    source: str | None = None
    threshold: float | None = None


class Trials:
    """Each runs on the model that the answer was given by. The progress gets a message and the share done,
    and may raise to give up. All raise UsamError. Safe to share between threads."""

    def __init__(self, models: Models, listen: Listen) -> None:
        self.models = models
        self.listen = listen

    def change(self, subject: Subject, intervention: Intervention, progress: Progress) -> Intervened:
        from usam.interpretability.intervention import intervene

        def use(engine: Engine, clip: Clip, answer: Answer) -> Intervened:
            return intervene(engine, clip, answer, intervention, progress)

        return self._on_baseline(subject, use, progress)

    def deletion(
        self, subject: Subject, reference: str | None, seeds: int, progress: Progress
    ) -> DeletionTest:
        from usam.interpretability.deletion import check, deletion_test

        check(seeds, reference)

        def use(engine: Engine, clip: Clip, answer: Answer) -> DeletionTest:
            return deletion_test(engine, clip, answer, seeds, reference, progress)

        return self._on_baseline(subject, use, progress)

    def attribution(self, subject: Subject, progress: Progress) -> Attribution:
        """By occlusion of a window at a time."""
        from usam.interpretability.attribution import attribute

        def use(engine: Engine, clip: Clip, answer: Answer) -> Attribution:
            return attribute(engine, clip, answer, engine.config.queries_per_window, progress)

        return self._on_baseline(subject, use, progress)

    def replay(self, subject: Subject, progress: Progress) -> Replay:
        from usam.interpretability.replay import replay

        answer, clip = subject.entry.answer, self._clip(subject)
        return self.models.of(answer.model, lambda engine: replay(engine, clip, answer, progress), progress)

    def other_model(
        self, subject: Subject, checkpoint: str, quantization: str, progress: Progress
    ) -> tuple[Answer, Clip]:
        """The same question about the same clip, answered by another model."""
        from usam.interpretability.intervention import ask_again

        answer, clip = subject.entry.answer, self._clip(subject)

        def use(engine: Engine) -> Answer:
            if same_model(engine.model_info, answer.model):
                raise RequestError("This model gave the answer on display. Choose another one.")
            return ask_again(engine, clip, answer, answer.intervention, progress)

        return self.models.named(checkpoint, quantization, use, progress), clip

    def _clip(self, subject: Subject) -> Clip:
        return clip_of(subject.entry, subject.source, self.listen)

    def _on_baseline(
        self, subject: Subject, use: Callable[[Engine, Clip, Answer], Result], progress: Progress
    ) -> Result:
        """Give `use` the engine, the clip, and the answer with its own tokens, its redundancy as the viewer
        shows it.

        A stored answer comes without its tokens and is asked again first. Raises UsamError, also when it has
        become another answer: then nobody could tell what of a change is due to what was tried.
        """
        from usam.interpretability.replay import replay

        recorded, clip = subject.entry.answer, self._clip(subject)

        def prepared(engine: Engine) -> Result:
            answer = recorded
            if not answer.ids:
                again = replay(engine, clip, answer, progress)
                if not again.same_answer:
                    raise RequestError(
                        f"This stored answer cannot be tried out: asked again, it is “{again.answer.text}”. "
                        f"{again.verdict()}"
                    )
                answer = again.answer
            if subject.threshold is not None:
                answer = replace(answer, trace=answer.trace.flagged(subject.threshold))
            return use(engine, clip, answer)

        return self.models.of(recorded.model, prepared, progress)
