"""Whisper, the speech encoder (OpenAI, MIT).

The encoder hears only the clip: the mel spectrogram and the positions are cropped to its length instead of
being filled to 30 s with silence, which makes a short clip many times cheaper.
"""

from functools import cache
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from usam.audio.samples import SAMPLE_RATE
from usam.encoders.base import Role, load_strictly, pad_to_frames, placement, readable

_BANDS, _FFT, _HOP = 80, 400, 160
_SAMPLES_PER_FRAME = 2 * _HOP  # the second convolution halves the rate
_PREFIX = "model.encoder."
SPAN = 30 * SAMPLE_RATE
"""Samples that Whisper takes at once: its positions reach no further."""
# Hidden states after these layers are what training keeps; only the layers above them may be tuned.
FROZEN_LAYERS = 3


@cache
def _filters(device: torch.device) -> Tensor:
    """[bins, bands], Slaney mel scale and norm."""
    return melscale_fbanks(
        _FFT // 2 + 1, 0.0, SAMPLE_RATE / 2, _BANDS, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
    ).to(device)


def log_mel(waveform: Tensor) -> Tensor:
    """[samples] -> [80, samples // 160], as Whisper computes it: 8 decades below the loudest bin are kept."""
    window = torch.hann_window(_FFT, device=waveform.device)
    spectrum = torch.stft(waveform, _FFT, _HOP, window=window, center=True, return_complex=True)[:, :-1]
    power = spectrum.real.square() + spectrum.imag.square()
    levels = (_filters(waveform.device).T @ power).clamp(min=1e-10).log10()
    return (torch.maximum(levels, levels.max() - 8.0) + 4.0) / 4.0


class Whisper(nn.Module):
    """Frames of 20 ms, 512 wide: the output of the encoder after its last layer norm."""

    name = "whisper-base"
    role: Role = "speech"
    frame_rate = SAMPLE_RATE / _SAMPLES_PER_FRAME
    sample_rate = SAMPLE_RATE

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.dim = int(config.d_model)
        self.encoder = WhisperEncoder(config)

    @classmethod
    def load(cls, directory: Path, name: str = "whisper-base") -> "Whisper":
        """Raises WeightsError when the directory's weights are unreadable or do not fit."""
        with readable(directory):
            config = WhisperConfig.from_pretrained(directory)
            with safe_open(directory / "model.safetensors", framework="pt") as file:
                state = {
                    "encoder." + name.removeprefix(_PREFIX): file.get_tensor(name).float()
                    for name in file.keys()  # noqa: SIM118 (not a mapping)
                    if name.startswith(_PREFIX)
                }
        config.dtype = torch.float32
        config._attn_implementation = "sdpa"
        model = cls(config)
        load_strictly(model, state)
        model.name = name
        return model

    @torch.no_grad()
    def frames(self, waveform: Tensor) -> Tensor:
        """[samples] -> [time, 512] at 50 Hz; a clip over 30 s is encoded in spans of 30 s."""
        return torch.cat([self._span(span) for span in waveform.split(SPAN)])

    def _span(self, waveform: Tensor) -> Tensor:
        return self.upper(self.lower(waveform)[None])[0].float()

    def lower(self, waveform: Tensor) -> Tensor:
        """Up to 30 s [samples] -> hidden states [time, 512] at 50 Hz, after the layers never tuned."""
        device, dtype = placement(self)
        padded, count = pad_to_frames(waveform.to(device).float(), _SAMPLES_PER_FRAME, context=_FFT)
        mel = log_mel(padded)[:, : 2 * count].to(dtype)
        hidden = F.gelu(self.encoder.conv1(mel[None]))
        hidden = F.gelu(self.encoder.conv2(hidden)).mT
        hidden = hidden + self.encoder.embed_positions.weight[:count]
        for layer in self.encoder.layers[:FROZEN_LAYERS]:
            hidden = _hidden_states(layer(hidden, None))
        return hidden[0]

    def upper(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """Hidden states [B, time, 512] of `lower`, mask [B, time] (true = heard) -> frames [B, time, 512]."""
        attended = None if mask is None else mask[:, None, None, :].expand(-1, 1, mask.shape[1], -1)
        for layer in self.encoder.layers[FROZEN_LAYERS:]:
            hidden = _hidden_states(layer(hidden, attended))
        return self.encoder.layer_norm(hidden)


def _hidden_states(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """Older transformers return a tuple from each layer."""
    return output if isinstance(output, Tensor) else output[0]
