"""How tuning weighs what people say of answers."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """How strongly each kind of evidence pulls, and what holds it back.

    beta: of both losses, how dear it is to leave the reference. sft: weight of making a preferred answer
    likelier by itself; corrected: the same for a correction, and over: that of preferring it to what it
    corrects, from which it differs in wording most of all: much of it changes how everything is named. marks:
    weight of what mattered. replay: weight of the divergence on what is replayed. kl_bound: nats a token on
    held-out replay, above which tuning ends. size: judgements of a batch; replayed: answers beside them that
    are replayed. patience: checks without a better one. rates: peak learning rate by part.
    """

    beta: float = 0.1
    sft: float = 0.2
    corrected: float = 1.0
    over: float = 0.1
    marks: float = 0.2
    replay: float = 1.0
    kl_bound: float = 0.1
    size: int = 6
    replayed: int = 3
    check_steps: int = 10
    patience: int = 4
    rates: dict[str, float] = field(
        default_factory=lambda: {"lora": 1e-4, "gates": 3e-4, "projector": 3e-5, "saclm": 3e-4}
    )
