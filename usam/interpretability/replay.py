"""Run a recorded answer again, and check whether answer and routing still match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from usam.errors import RequestError
from usam.interpretability.intervention import rerun
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from usam.audio.clip import Clip
    from usam.engine.engine import Engine
    from usam.schema.answer import Answer

TOLERANCE = 1e-3
"""Of a routing weight: what other kernels and thread counts may change by rounding."""


@dataclass(frozen=True)
class Replay:
    """A recorded answer and the one that is given to the same request now."""

    recorded: Answer
    answer: Answer

    @property
    def same_answer(self) -> bool:
        return self.recorded.text == self.answer.text

    @property
    def routing_moved(self) -> float | None:
        """The largest change of any token's weight for any expert; None when there are other tokens or
        experts than before."""
        before, after = self.recorded.trace, self.answer.trace
        if before.experts != after.experts or len(before.tokens) != len(after.tokens):
            return None
        pairs = zip(before.tokens, after.tokens, strict=True)
        weights = (zip(old.routing, new.routing, strict=True) for old, new in pairs)
        return max((abs(a - b) for token in weights for a, b in token), default=0.0)

    @property
    def same_routing(self) -> bool:
        return self.routing_moved is not None and self.routing_moved <= TOLERANCE

    @property
    def other_model(self) -> tuple[str, ...]:
        """What about the model is not as it was: for each such thing its name, before and now, in words."""
        before, after = self.recorded.model, self.answer.model
        names = ("preset", "fingerprint", "quantization", "device")
        pairs = ((name, getattr(before, name), getattr(after, name)) for name in names)
        return tuple(f"{name} {old}, now {new}" for name, old, new in pairs if old != new)

    def to_json(self) -> dict[str, Any]:
        """The answer's JSON object with `recorded`, the text given then, and what came of it."""
        return {
            **self.answer.to_json(),
            "recorded": self.recorded.text,
            "same_answer": self.same_answer,
            "same_routing": self.same_routing,
            "routing_moved": self.routing_moved,
            "other_model": list(self.other_model),
            "verdict": self.verdict(),
        }

    def verdict(self) -> str:
        """In a few sentences: whether answer and routing still match, and what else has changed."""
        answer = "The answer is the same, word for word." if self.same_answer else "The answer is different."
        moved = self.routing_moved
        if moved is None:
            routing = "The routing cannot be compared: the clip has other tokens or experts now."
        elif self.same_routing:
            routing = f"The routing is the same: no weight differs by more than {TOLERANCE:g}."
        else:
            routing = f"The routing is different: a weight differs by {moved:.3f}."
        model = f"The model is not the same: {'; '.join(self.other_model)}." if self.other_model else ""
        return " ".join(filter(None, (answer, routing, model)))


def replay(engine: Engine, clip: Clip, recorded: Answer, progress: ProgressCallback | None = None) -> Replay:
    """Ask again what a recorded answer was asked, with its seed, temperature, length and intervention.

    The engine's checkpoint and precision are used: where the answer was given under others, `other_model`
    says so. A stopped answer is asked for as many tokens as it got. `progress` gets a message
    and the share done, and may raise to give up. Raises RequestError if the answer is about another clip.
    """
    if recorded.heard.sha256 != clip.sha256:
        raise RequestError("The answer was about another clip, or another span of it.")
    return Replay(recorded, rerun(engine, clip, recorded, recorded.intervention, progress))
