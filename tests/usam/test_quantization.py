"""Quantised layers stay close to the real ones, quietly, and impossible wishes are refused in words."""

import copy
import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaForCausalLM

from tests import tiny
from usam.engine.provenance import parameter_count
from usam.errors import RequestError
from usam.quantization import (
    NO_COMPILER,
    Precision,
    choose_precision,
    import_bitsandbytes,
    pack_nf4,
    quantize,
)

IDS = torch.arange(3, 40)[None]


@pytest.fixture(scope="module")
def llm() -> LlamaForCausalLM:
    return tiny.llm(dim=128)


@torch.inference_mode()
def logits(llm: LlamaForCausalLM, quantization: str) -> torch.Tensor:
    quantized = quantize(copy.deepcopy(llm), choose_precision(quantization, "cpu"))
    return quantized(input_ids=IDS).logits.float()


@pytest.mark.parametrize(("quantization", "closeness"), [("none", 0.999), ("int8", 0.995), ("nf4", 0.95)])
def test_logits_stay_close(llm: LlamaForCausalLM, quantization: str, closeness: float) -> None:
    exact = llm(input_ids=IDS).logits
    similarity = torch.cosine_similarity(exact, logits(llm, quantization), dim=-1)
    assert similarity.mean() > closeness


def test_quantised_is_not_just_the_same(llm: LlamaForCausalLM) -> None:
    plain = logits(llm, "none")
    for quantization in ("int8", "nf4"):
        assert not torch.equal(plain, logits(llm, quantization))


@pytest.mark.parametrize(("quantization", "bytes_a_weight"), [("none", 2), ("int8", 1), ("nf4", 0.5)])
def test_linear_layers_shrink_and_embeddings_do_not(
    llm: LlamaForCausalLM, quantization: str, bytes_a_weight: float
) -> None:
    quantized = quantize(copy.deepcopy(llm), choose_precision(quantization, "cpu"))
    weight = quantized.get_decoder().layers[0].mlp.up_proj.weight
    assert weight.numel() * weight.element_size() == bytes_a_weight * 128 * 256
    assert parameter_count(weight) == 128 * 256
    assert quantized.get_input_embeddings().weight.dtype == torch.bfloat16
    assert type(quantized.get_output_embeddings()) is torch.nn.Linear


@given(
    st.integers(1, 40),
    st.integers(1, 70),
    st.sampled_from((torch.bfloat16, torch.float32)),
    st.integers(0, 2**32),
)
def test_packed_weights_are_those_of_bitsandbytes(
    rows: int, columns: int, dtype: torch.dtype, seed: int
) -> None:
    functional = import_bitsandbytes().functional
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator) * torch.rand(rows, 1, generator=generator)
    weight[torch.rand(rows, generator=generator) < 0.2] = 0
    weight = weight.to(dtype)
    packed, state = pack_nf4(weight)
    expected, its = functional.quantize_4bit(weight, quant_type="nf4")
    assert torch.equal(packed, expected)
    assert torch.equal(functional.dequantize_4bit(packed, state), functional.dequantize_4bit(expected, its))


@pytest.mark.slow
def test_bitsandbytes_says_nothing_and_is_not_imported_in_vain() -> None:
    code = """
import sys, torch
import usam.engine.engine
from tests import tiny
from usam.quantization import choose_precision, quantize
quantize(tiny.llm(dim=128), choose_precision("none", "cpu"))
assert not {"bitsandbytes", "peft"} & set(sys.modules)
for quantization in ("nf4", "int8"):
    quantize(tiny.llm(dim=128), choose_precision(quantization, "cpu"))(input_ids=torch.arange(9)[None])
assert "torch._inductor.lowering" not in sys.modules
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout + run.stderr == ""


def test_impossible_wishes_are_refused() -> None:
    with pytest.raises(RequestError, match=r"no quantization called 'int2'.*nf4"):
        choose_precision("int2")
    for device in ("abacus", "cuda:99"):
        with pytest.raises(RequestError, match=f"device '{device}' is not available"):
            choose_precision("none", device)


def test_the_choice_gives_its_reason() -> None:
    choice = choose_precision("nf4", "cpu")
    assert choice == Precision("nf4", torch.device("cpu"), choice.reason)
    assert "as asked" in choice.reason
    assert "NF4" in choice.reason


@pytest.mark.parametrize("chosen", [None, "0"])
def test_what_others_chose_about_compiling_stays(monkeypatch: pytest.MonkeyPatch, chosen: str | None) -> None:
    monkeypatch.delenv(NO_COMPILER, raising=False)
    if chosen is not None:
        monkeypatch.setenv(NO_COMPILER, chosen)
    import_bitsandbytes.cache_clear()
    assert import_bitsandbytes().nn.Linear4bit
    assert os.environ.get(NO_COMPILER) == chosen
