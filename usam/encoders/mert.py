"""MERT, the music encoder of the paper (m-a-p, CC-BY-NC-4.0): a HuBERT that was trained on music, at 24 kHz.

Loads the published MERT-v1-95M as it is; its weights are those of transformers' HubertModel.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import HubertConfig, HubertModel

from usam.encoders.base import Role, load_strictly, pad_to_frames, placement, readable
from usam.errors import WeightsError

_STRIDE, _FIELD = 320, 400  # samples between two frames, and that one is made from
_OLD_NAMES = {  # of weight norm, before it became a parametrisation
    "conv.weight_g": "conv.parametrizations.weight.original0",
    "conv.weight_v": "conv.parametrizations.weight.original1",
}


class MERT(nn.Module):
    """Frames of 1/75 s: the mean of the hidden states before and after every layer.

    The paper mixes these by learned weights; `mix` [layers + 1] has them, even ones until somebody learns
    better.
    """

    name = "mert-v1-95m"
    role: Role = "music"
    sample_rate = 24_000
    frame_rate = sample_rate / _STRIDE
    mix: Tensor

    def __init__(self, config: HubertConfig, normalize: bool = True) -> None:
        """normalize: whether waveforms are taken with mean 0 and variance 1."""
        super().__init__()
        self.dim = int(config.hidden_size)
        self.normalize = normalize
        self.model = HubertModel(config)
        layers = config.num_hidden_layers + 1
        self.register_buffer("mix", torch.full((layers,), 1 / layers), persistent=False)

    @classmethod
    def load(cls, directory: Path) -> MERT:
        """Raises WeightsError when the directory's weights are unreadable or do not fit."""
        with readable(directory):
            published = json.loads((directory / "config.json").read_text(encoding="utf-8"))
            state = _read(directory)
        for unknown in ("feature_extractor_cqt", "deepnorm"):
            if published.get(unknown):
                raise WeightsError(f"This MERT was trained with {unknown}, which is not known here.")
        preparation = directory / "preprocessor_config.json"
        with readable(directory):
            prepared = json.loads(preparation.read_text()) if preparation.exists() else {}
        model = cls(_config(published), bool(prepared.get("do_normalize", True)))
        load_strictly(model.model, state)
        return model.eval()

    @torch.no_grad()
    def frames(self, waveform: Tensor) -> Tensor:
        """[samples] at 24 kHz -> [time, D] at 75 Hz."""
        device, dtype = placement(self)
        waveform = waveform.to(device).float()
        if self.normalize:
            waveform = (waveform - waveform.mean()) / (waveform.var(unbiased=False) + 1e-7).sqrt()
        padded, count = pad_to_frames(waveform, _STRIDE, _FIELD - _STRIDE)
        states = self.model(padded[None].to(dtype), output_hidden_states=True).hidden_states
        mixed = torch.stack([state[0].float() for state in states]).mul(self.mix[:, None, None]).sum(0)
        return mixed[:count]


def _config(published: dict[str, Any]) -> HubertConfig:
    known = HubertConfig().to_dict().keys() - {"model_type", "architectures", "transformers_version", "dtype"}
    fields = {name: value for name, value in published.items() if name in known}
    # Nothing is masked: that is a part of training.
    return HubertConfig(**{**fields, "mask_time_prob": 0.0, "mask_feature_prob": 0.0})


def _read(directory: Path) -> dict[str, Tensor]:
    """The published weights, from safetensors or else from a pickle that holds tensors alone."""
    file = directory / "model.safetensors"
    if file.exists():
        state = load_file(file)
    else:
        state = torch.load(directory / "pytorch_model.bin", weights_only=True, map_location="cpu")
    renamed = {}
    for name, tensor in state.items():
        if name.endswith("masked_spec_embed"):
            continue
        for old, new in _OLD_NAMES.items():
            name = name.replace(old, new)
        renamed[name] = tensor.float()
    return renamed
