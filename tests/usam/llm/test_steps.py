"""Language models of other forms than Llama's write with single steps what transformers writes with them."""

import pytest
import torch
from transformers import PreTrainedModel

from tests.forms import FORMS, SIZES, form
from usam.llm.llama import LlamaStepDecoder
from usam.llm.steps import TransformersStepDecoder, step_decoder
from usam.quantization import choose_precision, quantize

TOKENS = 20


def written(llm: PreTrainedModel, embeddings: torch.Tensor) -> list[int]:
    steps = step_decoder(llm)
    likely, cache = steps.prefill(embeddings, TOKENS)
    ids = [int(likely.ids[0, likely.logits[0].argmax()])]
    while len(ids) < TOKENS:
        likely = steps.step(ids[-1:], cache)
        ids.append(int(likely.ids[0, likely.logits[0].argmax()]))
    return ids


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_steps_write_what_transformers_writes(name: str, quantization: str) -> None:
    llm = quantize(form(name), choose_precision(quantization, "cpu"))
    embeddings = llm.get_input_embeddings()(torch.arange(3, 14)[None]).detach()
    expected = llm.generate(
        inputs_embeds=embeddings, max_new_tokens=TOKENS, eos_token_id=SIZES["vocab_size"], do_sample=False
    )
    assert written(llm, embeddings) == expected[0].tolist()


def test_known_forms_take_the_fast_steps() -> None:
    fast = {name for name in FORMS if isinstance(step_decoder(form(name)), LlamaStepDecoder)}
    assert fast == {"llama", "qwen2"}


@pytest.mark.parametrize("name", ["gemma", "qwen2"])
def test_sequences_part_and_are_reordered(name: str) -> None:
    llm = form(name)
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
