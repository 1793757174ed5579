"""4-bit linear layers on a CPU as bitsandbytes' fused kernel reads them, with little around each call.

A token of a small language model takes a hundred such products of some 30 us each. What bitsandbytes'
operator does before it calls its kernel takes half as long again, so the kernel is called here directly.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from usam.quantization import COMPUTE_DTYPE, import_bitsandbytes

Linear = Callable[[Tensor], Tensor]
PACKED_ROWS = 32  # of a weight, which the kernel takes together
KERNEL = "gemv_4bit_inference_cpu_nf4_bf16"
# rows, outputs, inputs; input, weight, scales, output; block, strides of input and output
_ARGUMENTS = [*3 * [ctypes.c_int64], *4 * [ctypes.c_void_p], *3 * [ctypes.c_int64]]


def is_packed(layer: nn.Linear) -> bool:
    """Whether a layer's weight lies in 4 bits as the CPU's fused kernel reads it.

    bitsandbytes packs at a layer's first call, where the processor has the instructions.
    """
    if _state(layer) is None or layer.weight.device.type != "cpu":
        return False
    layer(torch.zeros(1, layer.in_features, dtype=COMPUTE_DTYPE))
    return bool(getattr(_state(layer), "packing_format_for_cpu", False))


def side_by_side(*layers: nn.Linear) -> Linear:
    """Linear layers of one input [..., K] as a single one, their outputs side by side [..., N1 + N2 + ...].

    4-bit layers on a CPU become one matrix, of which they go on as parts. Others are called one by one.
    """
    if not all(map(is_packed, layers)):
        return layers[0] if len(layers) == 1 else lambda x: torch.cat([layer(x) for layer in layers], -1)
    weight = torch.cat([layer.weight.data for layer in layers])  # two values a byte
    for layer, rows in zip(layers, weight.split([layer.out_features for layer in layers]), strict=True):
        layer.weight.data = rows
    states = [_state(layer) for layer in layers]
    absmax = torch.cat([state.absmax for state in states], dim=1)  # [K / blocksize, N]
    multiply = packed_product(weight, absmax, states[0].code, states[0].blocksize)
    if all(layer.bias is None for layer in layers):
        return multiply
    bias = torch.cat(
        [
            torch.zeros(layer.out_features, dtype=COMPUTE_DTYPE) if layer.bias is None else layer.bias.data
            for layer in layers
        ]
    ).to(COMPUTE_DTYPE)
    return lambda x: multiply(x) + bias


def packed_product(weight: Tensor, absmax: Tensor, code: Tensor, blocksize: int) -> Linear:
    """x [..., K] in bfloat16 -> x W^T [..., N], for a packed weight [N, K / 2] and its scales [K / B, N].

    What it returns raises ValueError for other inputs, which the kernel would read as if they were such.
    """
    outputs, inputs = weight.shape[0], 2 * weight.shape[1]
    kernel = _kernel()
    if kernel is None or code[1] > 0 or absmax.dtype != COMPUTE_DTYPE:  # not NF4, or scales to be converted
        operator = torch.ops.bitsandbytes.gemv_4bit.default
        return lambda x: operator(x, weight, (outputs, inputs), absmax, code, blocksize)
    weight, absmax = weight.contiguous(), absmax.contiguous()

    def multiply(x: Tensor) -> Tensor:
        if x.dtype != COMPUTE_DTYPE or x.shape[-1] != inputs:
            raise ValueError(f"{inputs} inputs in bfloat16 are needed, not {x.shape[-1]} in {x.dtype}.")
        x = x.contiguous()
        out = x.new_empty((*x.shape[:-1], outputs))
        pointers = x.data_ptr(), weight.data_ptr(), absmax.data_ptr(), out.data_ptr()
        kernel(x.numel() // inputs, outputs, inputs, *pointers, blocksize, inputs, outputs)
        return out

    return multiply


def _kernel() -> Callable[..., None] | None:
    """bitsandbytes' kernel, None where this version or build has none of the name."""
    try:
        found = getattr(import_bitsandbytes().cextension.lib, KERNEL)
        address = ctypes.cast(found, ctypes.c_void_p).value
    except (AttributeError, RuntimeError, TypeError, ctypes.ArgumentError):
        return None
    return ctypes.CFUNCTYPE(None, *_ARGUMENTS)(address) if address else None


def _state(layer: nn.Linear) -> Any:
    """The quantisation state of a 4-bit weight, None for any other."""
    return getattr(layer.weight, "quant_state", None)
