"""Options of transformers' `from_pretrained` as U-SAM takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from usam.errors import RequestError
from usam.quantization import COMPUTE_DTYPE, Quantization

_HUB = ("revision", "token", "cache_dir", "local_files_only", "force_download")
_MEANINGLESS = (
    "config",
    "trust_remote_code",
    "adapter_kwargs",
    "_from_auto",
    "code_revision",
    "_commit_hash",
)


@dataclass(frozen=True)
class HubOptions:
    """quantization and device as `usam.quantization.choose_precision` takes them; hub: for the download."""

    quantization: Quantization = "none"
    device: str | None = None
    hub: dict[str, Any] = field(default_factory=dict)


def hub_options(options: Mapping[str, Any]) -> HubOptions:
    """What transformers' options ask for.

    `device_map`: a device, or "auto". `quantization_config`: a BitsAndBytesConfig, in 4 bits (NF4) or 8;
    whatever it says, arithmetic is in bfloat16.
    `dtype`: bfloat16, or "auto". Of the hub: `revision`, `token`, `cache_dir`, `local_files_only`,
    `force_download`. Raises RequestError for any other, which would be ignored without a word.
    """
    left = {name: value for name, value in options.items() if name not in _MEANINGLESS and value is not None}
    hub = {name: left.pop(name) for name in _HUB if name in left}
    dtype = left.pop("dtype", left.pop("torch_dtype", None))
    if dtype not in (None, "auto", COMPUTE_DTYPE, str(COMPUTE_DTYPE).removeprefix("torch.")):
        raise RequestError(f"U-SAM's language model computes in bfloat16, not in {dtype}.")
    device = _device(left.pop("device_map", None))
    quantization = _quantization(left.pop("quantization_config", None))
    if left:
        raise RequestError(f"U-SAM takes no option {sorted(left)[0]!r} when it is loaded.")
    return HubOptions(quantization, device, hub)


def _device(device_map: Any) -> str | None:
    if isinstance(device_map, Mapping):
        places = set(device_map.values())
        if len(places) != 1:
            raise RequestError("U-SAM runs on one device; give device_map a single one.")
        [device_map] = places
    if isinstance(device_map, int):
        return f"cuda:{device_map}"
    return None if device_map in (None, "auto") else str(device_map)


def _quantization(config: Any) -> Quantization:
    if config is None:
        return "none"
    read = config.get if isinstance(config, Mapping) else lambda name: getattr(config, name, None)
    if read("load_in_8bit"):
        return "int8"
    if read("load_in_4bit"):
        if read("bnb_4bit_quant_type") != "nf4":
            raise RequestError('U-SAM\'s 4 bits are NF4: set bnb_4bit_quant_type="nf4".')
        return "nf4"
    raise RequestError("U-SAM quantises by bitsandbytes, in 4 or 8 bits.")
