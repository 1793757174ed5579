"""Change the audio tokens that the language model reads, and compare the answers."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from usam.errors import RequestError
from usam.progress import ProgressCallback
from usam.schema.answer import Answer
from usam.schema.events import TextDelta
from usam.schema.interventions import Intervention

if TYPE_CHECKING:
    from usam.adapter.tokens import AudioTokens
    from usam.audio.clip import Clip
    from usam.engine.engine import Engine


@dataclass(frozen=True)
class InterventionResult:
    """The answers before and after.

    logprob_change: of the baseline's own answer, in nats per token; negative means it became less likely.
    seconds_saved: of the language model's pass over prompt, audio and the baseline's answer, so that both
        passes read the same text; negative when the changed one took longer.
    """

    answer: Answer
    baseline: Answer
    logprob_change: float
    seconds_saved: float

    def to_json(self) -> dict[str, Any]:
        """The new answer's JSON object with `baseline`, `logprob_change` and `seconds_saved`."""
        return {
            **self.answer.to_json(),
            "baseline": self.baseline.to_json(),
            "logprob_change": self.logprob_change,
            "seconds_saved": self.seconds_saved,
        }

    def summary(self) -> str:
        """What happened, in a few lines."""
        trace = self.answer.trace
        lines = [f"before  {self.baseline.text}", f"after   {self.answer.text}"]
        direction = "less" if self.logprob_change < 0 else "more"
        change = f"{abs(self.logprob_change):.3f} nats per token {direction} likely"
        lines.append(f"The first answer became {change}.")
        if trace.without_audio:
            lines.append("No audio token was left: the language model answered without audio.")
        elif trace.tokens_dropped:
            saved = f"{abs(self.seconds_saved):.2f} s {'less' if self.seconds_saved >= 0 else 'more'}"
            dropped = f"{trace.tokens_dropped} of {len(trace.tokens)} audio tokens were dropped"
            lines.append(f"{dropped}; reading the rest took {saved}.")
        elif back := self.baseline.trace.tokens_dropped:
            lines.append(f"All {len(trace.tokens)} audio tokens were read, {back} more than before.")
        elif self.answer.intervention.routing(trace.experts) is None:
            lines.append("No audio token was dropped: nothing was changed.")
        return "\n".join(lines)


def intervene(
    engine: Engine,
    clip: Clip,
    baseline: Answer,
    intervention: Intervention,
    progress: ProgressCallback | None = None,
) -> InterventionResult:
    """Ask again what the baseline was asked, the audio tokens changed.

    Which tokens are redundant is what the baseline's trace says: SACLM's scores under the question and the
    baseline's answer. The mask was thus chosen with that answer known, and so its log-probability favours it
    somewhat. Re-flag the trace to try another threshold. Routing and kept tokens are the only difference;
    seed, temperature and length are the baseline's. If no token is left, the language model answers from the
    text alone and `answer.trace.without_audio` is true.

    The engine is free for others between the passes. `progress` gets a message and the share done, and may
    raise to give up. Raises RequestError if the baseline is about another clip, was itself given under an
    intervention or has no tokens, and if the intervention does not fit it.
    """
    audio = unchanged_audio_tokens(engine, clip, baseline)
    before = engine.score(audio, baseline, baseline.ids)
    answer = rerun(engine, clip, baseline, intervention, progress, judged=True)
    after = engine.score(engine.audio_tokens_of(clip, answer), baseline, baseline.ids)
    return InterventionResult(answer, baseline, after.mean - before.mean, before.seconds - after.seconds)


def rerun(
    engine: Engine,
    clip: Clip,
    earlier: Answer,
    intervention: Intervention,
    progress: ProgressCallback | None = None,
    *,
    judged: bool = False,
) -> Answer:
    """Ask what `earlier` was asked, sampled as it was, but under this intervention.

    An answer that was cut short is asked for as many tokens as it got. `judged`: its trace says which tokens
    are redundant, rather than the question alone. Raises RequestError.
    """
    tell = progress or (lambda message, share: None)
    written = ""
    events = engine.stream(
        clip,
        earlier.question,
        task=earlier.task,
        history=earlier.history,
        seed=earlier.seed,
        temperature=earlier.temperature,
        max_new_tokens=max(1, earlier.timings.answer_tokens) if earlier.stopped else earlier.max_new_tokens,
        intervention=intervention,
        judged=earlier.trace if judged else None,
    )
    with closing(events):
        for event in events:
            if isinstance(event, Answer):
                tell("Answering again", 1.0)
                return event
            written += event.text if isinstance(event, TextDelta) else ""
            tell("Answering again", min(1.0, len(written) / max(1, len(earlier.text))))
    raise AssertionError("a stream ends with its answer")


def unchanged_audio_tokens(engine: Engine, clip: Clip, baseline: Answer, every: bool = False) -> AudioTokens:
    """The audio tokens of an answer that may serve as a baseline, those it read or every one.

    Raises RequestError if it may not.
    """
    if baseline.intervention != Intervention():
        raise RequestError("Compare with an answer that was given without an intervention.")
    return engine.audio_tokens_of(clip, baseline, every)
