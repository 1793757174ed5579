"""Tiny random language models of several forms, with the vocabulary of `tests.tiny`."""

from collections.abc import Callable

import torch
from transformers import (
    AutoModelForCausalLM,
    GemmaConfig,
    LlamaConfig,
    MistralConfig,
    Phi3Config,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
)

from tests import tiny

SIZES = {
    "vocab_size": len(tiny.tokenizer()),
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "pad_token_id": 0,
}
FORMS: dict[str, Callable[[], PreTrainedConfig]] = {
    "llama": lambda: LlamaConfig(**SIZES),
    "qwen2": lambda: Qwen2Config(**SIZES),
    "qwen3": lambda: Qwen3Config(**SIZES, head_dim=16),
    "gemma": lambda: GemmaConfig(**SIZES, head_dim=16),
    "mistral": lambda: MistralConfig(**SIZES, sliding_window=8),
    "phi3": lambda: Phi3Config(**SIZES),
}


def form(name: str) -> PreTrainedModel:
    torch.manual_seed(5)
    llm = AutoModelForCausalLM.from_config(FORMS[name]()).eval()
    with torch.no_grad():
        for parameter_name, parameter in llm.named_parameters():
            if parameter_name.endswith("bias"):
                parameter.normal_(std=0.3)  # biases that are zero would hide one that is left out
    return llm
