"""What one answer leaves behind: tokens with their times, routing and significance, timings, provenance."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from usam.schema import interventions
from usam.schema.interventions import Intervention

Supervision = Literal["question", "question+answer"]


@dataclass(frozen=True)
class Heard:
    """The span of the clip the model heard. `start` and `end` in seconds of the original clip,
    `duration` the original clip's full length, `sha256` of the heard 16 kHz mono samples."""

    start: float
    end: float
    duration: float
    sha256: str


@dataclass(frozen=True)
class AudioToken:
    """One audio token as the LLM receives it. Times are seconds of the original clip.

    routing: one weight an expert, sums to 1.
    significance: (1 - beta) * predictive + beta * (text_relevance + audio_saliency) / 2, in [0, 1].
    word: the LLM word piece the token is anchored to most, empty for "no word here".
    dropped: an intervention kept the token from the LLM.
    """

    start: float
    end: float
    window: int
    routing: tuple[float, ...]
    significance: float
    predictive: float
    text_relevance: float
    audio_saliency: float
    redundant: bool
    word: str = ""
    dropped: bool = False


@dataclass(frozen=True)
class Trace:
    """Everything the inspector draws. `supervised_by` says which text scored the tokens."""

    experts: tuple[str, ...]
    tokens: tuple[AudioToken, ...]
    supervised_by: Supervision
    threshold: float = 0.5

    @property
    def tokens_dropped(self) -> int:
        """How many tokens never reached the LLM."""
        return sum(token.dropped for token in self.tokens)

    @property
    def unheard(self) -> bool:
        """Whether every token was dropped: the LLM answered without hearing the clip."""
        return self.tokens_dropped == len(self.tokens)

    def flagged(self, threshold: float) -> "Trace":
        """The same scores held against another threshold."""
        tokens = (replace(token, redundant=token.significance <= threshold) for token in self.tokens)
        return replace(self, tokens=tuple(tokens), threshold=threshold)


@dataclass(frozen=True)
class Timings:
    """Seconds of each step of one answer; `tokens_per_s` counts decoding after the first token."""

    load_s: float
    decode_s: float
    encode_s: float
    first_token_s: float
    tokens_per_s: float
    answer_tokens: int

    def after_decoding(self, decode_s: float) -> "Timings":
        """The times of a clip that was decoded before the engine was asked: that wait (s) counts as well."""
        return replace(self, decode_s=decode_s, first_token_s=self.first_token_s + decode_s)


@dataclass(frozen=True)
class ModelInfo:
    """Provenance: which model, in which precision, where, how large, and why this way."""

    preset: str
    fingerprint: str
    quantization: str
    device: str
    parameters: int
    memory_mb: float
    reason: str = ""

    def same_as(self, other: "ModelInfo") -> bool:
        """Whether both are the same checkpoint in the same precision."""
        return (self.fingerprint, self.quantization) == (other.fingerprint, other.quantization)


@dataclass(frozen=True)
class Turn:
    """One earlier question and answer about the same clip."""

    question: str
    answer: str


@dataclass(frozen=True)
class Answer:
    """A finished answer. `stopped` is true when a person stopped it or it ran out of tokens.

    `ids` are the LLM's own tokens: the text, tokenised again, may give others. They are not in the JSON.
    """

    text: str
    task: str
    question: str
    heard: Heard
    trace: Trace
    timings: Timings
    model: ModelInfo
    prompt: str
    seed: int
    temperature: float = 0.0
    max_new_tokens: int = 0
    stopped: bool = False
    history: tuple[Turn, ...] = field(default_factory=tuple)
    intervention: Intervention = field(default_factory=Intervention)
    ids: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The documented JSON object (README, "JSON contract"): plain lists, floats and strings."""
        record = asdict(self)
        trace = record.pop("trace")
        del record["ids"]
        return {
            "answer": record.pop("text"),
            **record,
            "experts": list(trace["experts"]),
            "tokens": [{**token, "routing": list(token["routing"])} for token in trace["tokens"]],
            "supervised_by": trace["supervised_by"],
            "threshold": trace["threshold"],
            "history": [dict(turn) for turn in record["history"]],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Answer":
        """The answer that `to_json` described, without its `ids`; keys that are not its own are left out.

        Raises KeyError or TypeError when a part is missing or is of another kind.
        """
        optional = ("stopped", "temperature", "max_new_tokens")
        trace = Trace(
            experts=tuple(record["experts"]),
            tokens=tuple(
                AudioToken(**{**_own(AudioToken, token), "routing": tuple(token["routing"])})
                for token in record["tokens"]
            ),
            supervised_by=record["supervised_by"],
            threshold=record.get("threshold", Trace.threshold),
        )
        return cls(
            text=record["answer"],
            trace=trace,
            heard=Heard(**_own(Heard, record["heard"])),
            timings=Timings(**_own(Timings, record["timings"])),
            model=ModelInfo(**_own(ModelInfo, record["model"])),
            history=tuple(Turn(**_own(Turn, turn)) for turn in record.get("history", ())),
            intervention=interventions.from_json(record.get("intervention", {"kind": "none"})),
            **{name: record[name] for name in ("task", "question", "prompt", "seed")},
            **{name: record[name] for name in optional if name in record},
        )


@dataclass(frozen=True)
class Encoded:
    """Stream event: the clip is encoded; the trace is scored under the question alone."""

    trace: Trace
    heard: Heard


@dataclass(frozen=True)
class TextDelta:
    """Stream event: more answer text."""

    text: str


Event = Encoded | TextDelta | Answer


def _own(kind: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """What of a record are a dataclass's own fields: later versions may have written more."""
    return {part.name: record[part.name] for part in fields(kind) if part.name in record}
