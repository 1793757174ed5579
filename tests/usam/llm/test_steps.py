"""Language models of other forms than Llama's write with single steps what transformers writes with them."""

from collections.abc import Callable

import pytest
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

from usam.llm.llama import LlamaStepDecoder
from usam.llm.steps import TransformersStepDecoder, step_decoder
from usam.quantization import choose_precision, quantize

TOKENS = 20
SIZES = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
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


def model(form: str) -> PreTrainedModel:
    torch.manual_seed(5)
    llm = AutoModelForCausalLM.from_config(FORMS[form]()).eval()
    with torch.no_grad():
        for name, parameter in llm.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.3)  # biases that are zero would hide one that is left out
    return llm


def written(llm: PreTrainedModel, embeddings: torch.Tensor) -> list[int]:
    steps = step_decoder(llm)
    likely, cache = steps.prefill(embeddings, TOKENS)
    ids = [int(likely.ids[0, likely.logits[0].argmax()])]
    while len(ids) < TOKENS:
        likely = steps.step(ids[-1:], cache)
        ids.append(int(likely.ids[0, likely.logits[0].argmax()]))
    return ids


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_steps_write_what_transformers_writes(form: str, quantization: str) -> None:
    llm = quantize(model(form), choose_precision(quantization, "cpu"))
    embeddings = llm.get_input_embeddings()(torch.arange(3, 14)[None]).detach()
    expected = llm.generate(
        inputs_embeds=embeddings, max_new_tokens=TOKENS, eos_token_id=SIZES["vocab_size"], do_sample=False
    )
    assert written(llm, embeddings) == expected[0].tolist()


def test_known_forms_take_the_fast_steps() -> None:
    fast = {form for form in FORMS if isinstance(step_decoder(model(form)), LlamaStepDecoder)}
    assert fast == {"llama", "qwen2"}


@pytest.mark.parametrize("form", ["gemma", "qwen2"])
def test_sequences_part_and_are_reordered(form: str) -> None:
    llm = model(form)
    steps = TransformersStepDecoder(llm)
    embeddings = llm.get_input_embeddings()(torch.arange(3, 14)[None]).detach()
    _, cache = steps.prefill(embeddings, TOKENS)
    both = cache.expand(2)
    steps.step([7, 9], both)
    both.reorder([1, 0])
    parted = steps.step([4, 4], both)
    for row, first in enumerate((9, 7)):
        alone = cache.expand(1)
        steps.step([first], alone)
        torch.testing.assert_close(parted.logits[row], steps.step([4], alone).logits[0], rtol=1e-3, atol=1e-3)
