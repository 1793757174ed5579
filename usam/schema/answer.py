"""A finished answer, with what it was made of: trace, timings and provenance."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from usam.schema import interventions
from usam.schema.interventions import Intervention
from usam.schema.trace import AudioToken, ClipSpan, TokenWord, Trace


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
    """Provenance: which model, in which precision, where, how large, and why this way.

    llm: the language model that answered, if another than the one the checkpoint was trained with.
    """

    preset: str
    fingerprint: str
    quantization: str
    device: str
    parameters: int
    memory_mb: float
    reason: str = ""
    llm: str | None = None

    def same_as(self, other: "ModelInfo") -> bool:
        """Whether both are the same checkpoint in the same precision."""
        return (self.fingerprint, self.quantization) == (other.fingerprint, other.quantization)


@dataclass(frozen=True)
class Turn:
    """One earlier question and answer about the same clip."""

    question: str
    answer: str


UNTOLD = "The clip does not tell."
NOTHING = "Nothing can be heard."
NO_SPEECH = "No speech can be heard."
NO_MUSIC = "No music can be heard."
REFUSALS = frozenset({UNTOLD, NOTHING, NO_SPEECH, NO_MUSIC})
"""What is answered where a clip tells nothing of what is asked."""

Finish = Literal["end", "length", "stop", "repetition"]
"""Why an answer ended: by itself, out of tokens, stopped by a person, or because it repeated itself."""
CUT_SHORT = {
    "length": "Cut short: out of tokens.",
    "stop": "Cut short: stopped.",
    "repetition": "Cut short: the model began to repeat itself.",
}


@dataclass(frozen=True)
class Answer:
    """A finished answer. `stopped` is true when it did not end by itself, and `finish` says why; it is empty
    in answers of before.

    `ids` are the LLM's own tokens: the text, tokenised again, may give others. They are not in the JSON.
    """

    text: str
    task: str
    question: str
    heard: ClipSpan
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
    finish: Finish | Literal[""] = ""

    @property
    def cut_short(self) -> str:
        """Why the answer did not end by itself, as a sentence; empty for one that did."""
        return CUT_SHORT.get(self.finish, "Cut short: stopped, or out of tokens.") if self.stopped else ""

    def to_json(self) -> dict[str, Any]:
        """The documented JSON object (docs/contract.md): plain lists, floats and strings."""
        record = asdict(self)
        trace = record.pop("trace")
        del record["ids"]
        return {
            "answer": record.pop("text"),
            **record,
            "experts": list(trace["experts"]),
            "tokens": [
                {**token, "routing": list(token["routing"]), "words": list(token["words"])}
                for token in trace["tokens"]
            ],
            "supervised_by": trace["supervised_by"],
            "threshold": trace["threshold"],
            "pruned": trace["pruned"],
            "history": [dict(turn) for turn in record["history"]],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Answer":
        """The answer that `to_json` described, without its `ids`; keys that are not its own are left out.

        Raises KeyError or TypeError when a part is missing or is of another kind.
        """
        optional = ("stopped", "temperature", "max_new_tokens", "finish")
        trace = Trace(
            experts=tuple(record["experts"]),
            tokens=tuple(
                AudioToken(
                    **{
                        **_own(AudioToken, token),
                        "routing": tuple(token["routing"]),
                        "words": tuple(TokenWord(**_own(TokenWord, word)) for word in token.get("words", ())),
                    }
                )
                for token in record["tokens"]
            ),
            supervised_by=record["supervised_by"],
            threshold=record.get("threshold", Trace.threshold),
            pruned=record.get("pruned", Trace.pruned),
        )
        return cls(
            text=record["answer"],
            trace=trace,
            heard=ClipSpan(**_own(ClipSpan, record["heard"])),
            timings=Timings(**_own(Timings, record["timings"])),
            model=ModelInfo(**_own(ModelInfo, record["model"])),
            history=tuple(Turn(**_own(Turn, turn)) for turn in record.get("history", ())),
            intervention=interventions.from_json(record.get("intervention", {"kind": "none"})),
            **{name: record[name] for name in ("task", "question", "prompt", "seed")},
            **{name: record[name] for name in optional if name in record},
        )


def _own(kind: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """What of a record are a dataclass's own fields: later versions may have written more."""
    return {part.name: record[part.name] for part in fields(kind) if part.name in record}
