"""Which language models there are by name, beside folders and those on the model hub.

Other packages add theirs by an entry point of the group `usam.llms`, which names an `LLMSpec`, or by
`register_llm`.
"""

from dataclasses import dataclass
from pathlib import Path

from usam.registry import Registry
from usam.weights.catalogue import QWEN, SMOLLM2, Model


@dataclass(frozen=True)
class LLMSpec:
    """A language model: its name in configs, the width of its embeddings, and the pretrained model or the
    folder it is loaded from."""

    name: str
    dim: int
    source: Model | Path


LLMS = Registry(
    "language model",
    "usam.llms",
    LLMSpec,
    ((spec.name, spec) for spec in (LLMSpec(SMOLLM2.title, 576, SMOLLM2), LLMSpec(QWEN.title, 896, QWEN))),
)


def register_llm(spec: LLMSpec) -> None:
    """Add a language model under its name. Raises RequestError if that is taken."""
    LLMS.register(spec.name, spec)
