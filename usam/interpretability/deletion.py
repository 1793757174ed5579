"""The deletion test: whether tokens called redundant can go, and random ones cannot."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from usam.errors import RequestError
from usam.interpretability.intervention import unchanged_audio_tokens
from usam.progress import ProgressCallback
from usam.schema.interventions import DropRandom, DropRedundant, Intervention, KeepRedundant, ReadAll
from usam.schema.tasks import check_text

if TYPE_CHECKING:
    from usam.audio.clip import Clip
    from usam.engine.engine import Engine
    from usam.schema.answer import Answer

SEEDS = 5
MAX_SEEDS = 100
LONGEST_REFERENCE = 500
"""Characters of a reference that a visitor may send."""


@dataclass(frozen=True)
class DeletionTest:
    """Log-probability of the reference, in nats per token, with some of the audio tokens dropped.

    all: none dropped.  drop_random: as many as are redundant, one value a seed (0, 1, ...).
    tokens, tokens_dropped: of the clip, and dropped as redundant.
    reference_given: a person typed the reference; otherwise it is the baseline's answer.
    """

    all: float
    drop_redundant: float
    drop_random: tuple[float, ...]
    keep_redundant: float
    tokens: int
    tokens_dropped: int
    reference: str
    reference_given: bool
    supervised_by: str

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "drop_random": list(self.drop_random), "verdict": self.verdict()}

    def verdict(self) -> str:
        """One sentence: whether redundancy held up against chance."""
        if not self.tokens_dropped:
            return "No token is redundant, so there is nothing to test."
        if self.tokens_dropped == self.tokens:
            return (
                "Every token is redundant: the model answers without audio, and so does the random control."
            )
        chance = sum(self.drop_random) / len(self.drop_random)
        worse = sum(value < self.drop_redundant for value in self.drop_random)
        figures = (
            f"dropping the {self.tokens_dropped} redundant of {self.tokens} tokens changed the reference by "
            f"{self.drop_redundant - self.all:+.3f} nats per token, dropping as many at random by "
            f"{chance - self.all:+.3f} on average; {worse} of {len(self.drop_random)} random draws did more "
            "harm"
        )
        if self.drop_redundant > max(self.drop_random):
            return f"Redundancy held up: {figures}."
        if self.drop_redundant < min(self.drop_random):
            return f"Redundancy did not hold up: {figures}."
        return f"Redundancy did no better than chance: {figures}."

    def table(self) -> str:
        """For a terminal: a line a condition, with the change against all tokens."""
        kept = self.tokens - self.tokens_dropped
        rows = [
            ("all", self.tokens, self.all),
            ("drop redundant", kept, self.drop_redundant),
            *((f"drop random {seed}", kept, value) for seed, value in enumerate(self.drop_random)),
            ("keep redundant", self.tokens_dropped, self.keep_redundant),
        ]
        head = f"{'':16}{'tokens':>7}{'nats/token':>12}{'change':>9}"
        lines = [f"{name:16}{count:7}{value:12.3f}{value - self.all:+9.3f}" for name, count, value in rows]
        return "\n".join([f"reference: {self.reference}", head, *lines, self.verdict()])


def deletion_test(
    engine: Engine,
    clip: Clip,
    baseline: Answer,
    seeds: int = SEEDS,
    reference: str | None = None,
    progress: ProgressCallback | None = None,
) -> DeletionTest:
    """Score a reference answer with all tokens, without the redundant ones, without as many random ones
    (once a seed), and with the redundant ones alone.

    The reference is the baseline's answer, or what a person typed. The mask is the baseline's trace in both
    cases: SACLM supervised by the question and the baseline's own answer. With that answer as the reference
    the mask has seen what it is judged by, so a reference of one's own is the stricter test. The random draws
    are from all tokens, redundant ones included. Differences of some hundredths may be rounding: the language
    model computes in bfloat16.

    Nothing is generated: 3 + seeds passes, the engine free for others between them. `progress` gets a message
    and the share done, and may raise to give up. Raises RequestError.
    """
    check(seeds, reference)
    done = 0
    given = None if reference is None else engine.model.prompts.answer(reference.strip()).tolist()
    ids = baseline.ids if given is None else given
    audio, trace = unchanged_audio_tokens(engine, clip, baseline, every=True), baseline.trace

    def score(intervention: Intervention) -> float:
        nonlocal done
        value = engine.score(audio.keep([intervention.kept(trace)]), baseline, ids).mean
        done += 1
        if progress is not None:
            progress("Scoring the answer without some of the tokens", done / (3 + seeds))
        return value

    return DeletionTest(
        all=score(ReadAll()),
        drop_redundant=score(DropRedundant()),
        drop_random=tuple(score(DropRandom(seed)) for seed in range(seeds)),
        keep_redundant=score(KeepRedundant()),
        tokens=len(trace.tokens),
        tokens_dropped=sum(token.redundant for token in trace.tokens),
        reference=baseline.text if reference is None else reference.strip(),
        reference_given=reference is not None,
        supervised_by=trace.supervised_by,
    )


def check(seeds: int, reference: str | None) -> None:
    """Refuse a deletion test that cannot be done. Raises RequestError."""
    if not 1 <= seeds <= MAX_SEEDS:
        raise RequestError(f"The deletion test takes 1 to {MAX_SEEDS} seeds.")
    if reference is not None and not reference.strip():
        raise RequestError("The reference answer is empty. Type the answer to measure.")
    check_text("reference answer", reference or "")
