"""Change what the language model gets to hear, and see what becomes of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from usam.errors import RequestError
from usam.interventions import Intervention

if TYPE_CHECKING:
    from usam.adapter import AudioTokens
    from usam.audio import Clip
    from usam.engine import Engine
    from usam.trace import Answer


@dataclass(frozen=True)
class Intervened:
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
        if trace.unheard:
            lines.append("No audio token was left: the language model answered without hearing the clip.")
        elif trace.tokens_dropped:
            saved = f"{abs(self.seconds_saved):.2f} s {'less' if self.seconds_saved >= 0 else 'more'}"
            dropped = f"{trace.tokens_dropped} of {len(trace.tokens)} audio tokens were dropped"
            lines.append(f"{dropped}; reading the rest took {saved}.")
        elif self.answer.intervention.routing(trace.experts) is None:
            lines.append("No audio token was dropped: nothing was changed.")
        return "\n".join(lines)


def intervene(engine: Engine, clip: Clip, baseline: Answer, intervention: Intervention) -> Intervened:
    """Ask again what the baseline was asked, the audio tokens changed.

    Which tokens are redundant is what the baseline's trace says: SACLM's scores under the question and the
    baseline's answer. The mask was thus chosen with that answer in view, and so its log-probability flatters
    it somewhat. Re-flag the trace to try another threshold. Routing and kept tokens are the only difference;
    seed, temperature and length are the baseline's. If no token is left, the language model answers from the
    text alone and `answer.trace.unheard` is true.

    The engine is free for others between the passes. Raises RequestError if the baseline is about another
    clip, was itself given under an intervention or has no tokens, and if the intervention does not fit it.
    """
    audio = recall_unchanged(engine, clip, baseline)
    before = engine.score(audio, baseline, baseline.ids)
    answer = engine.ask(
        clip,
        baseline.question,
        task=baseline.task,
        history=baseline.history,
        seed=baseline.seed,
        temperature=baseline.temperature,
        max_new_tokens=baseline.max_new_tokens,
        intervention=intervention,
        judged=baseline.trace,
    )
    after = engine.score(engine.recall(clip, answer), baseline, baseline.ids)
    return Intervened(answer, baseline, after.mean - before.mean, before.seconds - after.seconds)


def recall_unchanged(engine: Engine, clip: Clip, baseline: Answer) -> AudioTokens:
    """The audio tokens of an answer that may serve as a baseline. Raises RequestError if it may not."""
    if baseline.intervention != Intervention():
        raise RequestError("Compare with an answer that was given without an intervention.")
    return engine.recall(clip, baseline)
