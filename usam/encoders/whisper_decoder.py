"""Whisper's decoder, as a transcriber."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from transformers import WhisperForConditionalGeneration

from usam.encoders.base import placement, readable
from usam.encoders.whisper import SPAN, log_mel

Task = Literal["transcribe", "translate"]


@dataclass(frozen=True)
class Transcriber:
    """The whole of Whisper: a teacher and a reference, not a part of U-SAM."""

    model: WhisperForConditionalGeneration
    tokenizer: Tokenizer

    @torch.no_grad()
    def transcribe(self, waveform: Tensor, language: str | None = "en", task: Task = "transcribe") -> str:
        """Text of up to 30 s of speech ([samples], 16 kHz); "translate" gives English for any `language`.

        Where that is None, the decoder finds out which it is.
        """
        device, dtype = placement(self.model)
        padded = F.pad(waveform[:SPAN], (0, max(0, SPAN - len(waveform))))
        mel = log_mel(padded.to(device).float())[None].to(dtype)
        tokens = self.model.generate(mel, language=language, task=task)[0]
        return str(self.tokenizer.decode(tokens.tolist(), skip_special_tokens=True)).strip()


def load_transcriber(directory: Path) -> Transcriber:
    """Encoder and decoder in float32. Raises WeightsError when the directory's weights are unreadable."""
    with readable(directory):
        model = WhisperForConditionalGeneration.from_pretrained(directory, dtype=torch.float32)
        tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    return Transcriber(model.eval().requires_grad_(False), tokenizer)
