"""The LLM's linear layers in 4-bit NF4, 8-bit LLM.int8 or as they are, by bitsandbytes, on CPU and CUDA."""

import logging
import os
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from usam.errors import RequestError

Quantization = Literal["nf4", "int8", "none"]
COMPUTE_DTYPE = torch.bfloat16
NO_COMPILER = "TORCHDYNAMO_DISABLE"  # torch reads it where a function is to be compiled
BLOCK = 64  # values that share a scale
SMALLEST = 1e-38  # scale, of a block of zeros


@dataclass(frozen=True)
class Precision:
    """Where and how exactly the LLM runs, with the reason in words."""

    quantization: Quantization
    device: torch.device
    reason: str


def choose_precision(quantization: str, device: str | None = None) -> Precision:
    """Check a wished quantisation and device; without a device, the first GPU or else the CPU.

    Raises RequestError if either is not available.
    """
    if quantization not in get_args(Quantization):
        raise RequestError(f"There is no quantization called {quantization!r}. Choose nf4, int8 or none.")
    found = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        target = torch.device(found)
        torch.empty(0, device=target)
    except (RuntimeError, AssertionError) as error:
        raise RequestError(f"The device {found!r} is not available on this machine.") from error
    where = "as asked" if device else ("a GPU was found" if target.type == "cuda" else "no GPU was found")
    how = {
        "nf4": "4-bit NF4 weights with bfloat16 arithmetic",
        "int8": "8-bit weights (LLM.int8)",
        "none": "unquantised bfloat16 weights",
    }[quantization]
    return Precision(quantization, target, f"{target.type}: {where}; {how}")  # type: ignore[arg-type]


def quantize(llm: PreTrainedModel, precision: Precision) -> PreTrainedModel:
    """Move the LLM to its device with the linear layers of its decoder quantised, in place.

    Embeddings and the tied output layer keep their precision: they are the space audio tokens live in.
    """
    llm = llm.to(COMPUTE_DTYPE)  # type: ignore[arg-type]
    if precision.quantization != "none":
        for name, layer in list(llm.get_decoder().named_modules()):
            if isinstance(layer, nn.Linear):
                small = quantized(layer, precision.quantization, precision.device)
                llm.get_decoder().set_submodule(name, small)
    return llm.to(precision.device).eval()  # type: ignore[arg-type]


@torch.no_grad()
def rounded(weight: Tensor) -> Tensor:
    """The values that NF4 keeps of a linear layer's weight, in float32."""
    functional = import_bitsandbytes().functional
    weight = weight.to(COMPUTE_DTYPE)
    packed = (
        pack_nf4(weight)
        if weight.device.type == "cpu"
        else functional.quantize_4bit(weight, quant_type="nf4")
    )
    return functional.dequantize_4bit(*packed).float()


def pack_nf4(weight: Tensor) -> tuple[Tensor, Any]:
    """A weight in NF4 and its state, as bitsandbytes' `quantize_4bit` gives them, bit for bit, on a CPU.

    Fifteen comparisons that the processor does many at a time take a third of the time of bitsandbytes'
    search for each value's place.
    """
    functional = import_bitsandbytes().functional
    code = functional.get_4bit_type("nf4", device="cpu")
    values = F.pad(weight.flatten().float(), (0, -weight.numel() % BLOCK)).view(-1, BLOCK)
    absmax = values.abs().amax(1)
    values *= (1.0 / absmax.clamp(min=SMALLEST))[:, None]
    borders = ((code[:-1] + code[1:]) / 2).tolist()
    places = (values > borders[0]).to(torch.uint8)
    for border in borders[1:]:
        places += values > border
    high, low = places.flatten()[: weight.numel() + weight.numel() % 2].view(-1, 2).unbind(1)
    state = functional.QuantState(
        absmax, shape=weight.shape, dtype=weight.dtype, blocksize=BLOCK, code=code, quant_type="nf4"
    )
    return ((high << 4) | low)[:, None], state


@cache
def import_bitsandbytes() -> ModuleType:
    """The library, imported when first needed: it takes a second that an unquantised model can spare.

    To be called before anything imports it, peft too: the import warns about an optional kernel package, and
    LLM.int8 later reports every cast of every layer and token. It also has a function compiled, which would
    load torch's whole compiler, though most machines have none to compile it with.
    """
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    chosen = os.environ.get(NO_COMPILER)
    os.environ[NO_COMPILER] = "1"
    try:
        import bitsandbytes
    finally:
        if chosen is None:
            del os.environ[NO_COMPILER]
        else:
            os.environ[NO_COMPILER] = chosen
    return bitsandbytes


def quantized(layer: nn.Linear, quantization: Quantization, device: torch.device) -> nn.Linear:
    """The layer on that device in bitsandbytes' class for it."""
    bnb = import_bitsandbytes()
    sizes: dict[str, Any] = {
        "input_features": layer.in_features,
        "output_features": layer.out_features,
        "bias": layer.bias is not None,
        "device": "meta",  # its weights are those of the layer
    }
    replacement: nn.Linear
    if quantization == "nf4":
        replacement = bnb.nn.Linear4bit(**sizes, compute_dtype=COMPUTE_DTYPE, quant_type="nf4")
        replacement.weight = _nf4_parameter(layer.weight.data, device)
    else:
        replacement = bnb.nn.Linear8bitLt(**sizes, has_fp16_weights=False, threshold=6.0)
        replacement.weight = bnb.nn.Int8Params(layer.weight.data, requires_grad=False, has_fp16_weights=False)
    if layer.bias is not None:
        replacement.bias = layer.bias
    return replacement.to(device).eval()


def _nf4_parameter(weight: Tensor, device: torch.device) -> nn.Parameter:
    """The weight as bitsandbytes' parameter, which quantises itself on the way to a GPU.

    Its scales stay as `rounded` has them on a CPU; on that way bitsandbytes rounds them to 8 bits.
    """
    make = import_bitsandbytes().nn.Params4bit
    options: dict[str, Any] = {"requires_grad": False, "quant_type": "nf4", "blocksize": BLOCK}
    if device.type != "cpu":
        return make(weight, **options)
    packed, state = pack_nf4(weight)
    return make(packed, **options, quant_state=state, bnb_quantized=True)
