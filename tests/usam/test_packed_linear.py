"""4-bit layers that bitsandbytes' kernel multiplies directly give what its operator gives."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from usam import packed_linear
from usam.packed_linear import PACKED_ROWS, is_packed, side_by_side
from usam.quantization import quantized

CPU = torch.device("cpu")


def layer(inputs: int, outputs: int, bias: bool = False) -> nn.Linear:
    return quantized(nn.Linear(inputs, outputs, bias).to(torch.bfloat16), "nf4", CPU)


pytestmark = pytest.mark.skipif(not is_packed(layer(64, PACKED_ROWS)), reason="no AVX-512 with bfloat16")


def by_operator(one: nn.Linear, x: Tensor) -> Tensor:
    state = one.weight.quant_state
    shape, scales = (one.out_features, one.in_features), (state.absmax, state.code, state.blocksize)
    found = torch.ops.bitsandbytes.gemv_4bit.default(x, one.weight.data, shape, *scales)
    return found if one.bias is None else found + one.bias


@given(
    rows=st.integers(1, 6),
    inputs=st.sampled_from([64, 192, 576]),
    outputs=st.lists(st.sampled_from([32, 64, 160]), min_size=1, max_size=3),
    bias=st.booleans(),
)
def test_products_are_those_of_the_operator(rows: int, inputs: int, outputs: list[int], bias: bool) -> None:
    torch.manual_seed(rows)
    layers = [layer(inputs, size, bias) for size in outputs]
    x = torch.randn(rows, 2, inputs).to(torch.bfloat16)
    alone = torch.cat([by_operator(one, x) for one in layers if is_packed(one)], -1)
    together = side_by_side(*layers)
    assert torch.equal(together(x), alone)
    assert torch.equal(together(x.transpose(0, 1)), alone.transpose(0, 1)), "also of what is not contiguous"


def test_without_the_kernel_the_operator_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    one, x = layer(64, PACKED_ROWS), torch.randn(1, 64).to(torch.bfloat16)
    expected = side_by_side(one)(x)
    monkeypatch.setattr("usam.packed_linear.KERNEL", "of_another_version")
    assert torch.equal(side_by_side(one)(x), expected)


def test_this_version_of_bitsandbytes_has_the_kernel() -> None:
    """Otherwise answers are a fifth slower without a word."""
    assert packed_linear._kernel() is not None


@pytest.mark.parametrize(
    "x", [torch.zeros(1, 32, dtype=torch.bfloat16), torch.zeros(1, 64)], ids=["narrow", "float"]
)
def test_what_the_kernel_would_misread_is_refused(x: Tensor) -> None:
    with pytest.raises(ValueError, match="64 inputs in bfloat16"):
        side_by_side(layer(64, PACKED_ROWS))(x)
