"""The usual transformers pair to a model: a processor that turns clips and questions into its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoProcessor, AutoTokenizer, BatchFeature, PreTrainedTokenizerBase, ProcessorMixin

from usam.audio.clip import Clip, load_clip
from usam.audio.samples import SAMPLE_RATE
from usam.checkpoints.remote_code import add_remote_code
from usam.checkpoints.resolve import checkpoint_folder
from usam.config import USAMConfig
from usam.errors import RequestError
from usam.llm.prompts import PromptBuilder
from usam.model.hub_options import hub_options
from usam.model.model import AUDIO
from usam.model.pretrained import fetch
from usam.schema.tasks import check_question, speech_task

Audio = str | Path | bytes | tuple[int, np.ndarray] | np.ndarray | Tensor | Clip


class USAMProcessor(ProcessorMixin):
    """Clips and questions in, what `USAM.generate` takes out; `decode` turns its token ids into text.

    >>> inputs = processor(audio="clip.wav", text="What is this?", return_tensors="pt").to(model.device)
    >>> processor.batch_decode(model.generate(**inputs, max_new_tokens=40))
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__(tokenizer)
        self.prompts = PromptBuilder(tokenizer)

    @classmethod
    def from_pretrained(cls, name: str | Path, **options: Any) -> USAMProcessor:  # type: ignore[override]
        """The processor of a checkpoint, a folder or an `owner/name` on the hub.

        A checkpoint without a tokenizer of its own uses that of its LLM. Raises WeightsError.
        """
        folder = checkpoint_folder(name, **hub_options(options).hub)
        if not (folder / "tokenizer_config.json").exists():
            folder = fetch(USAMConfig.from_pretrained(folder), checkpoint=folder).llm
        return cls(AutoTokenizer.from_pretrained(folder, local_files_only=True))

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoProcessor") -> None:
        """Nothing: a saved folder names our classes already, and takes no copy of this module."""

    def save_pretrained(self, folder: str | Path, **options: Any) -> None:  # type: ignore[override]
        """Write the tokenizer, and what AutoProcessor needs to find this class."""
        super().save_pretrained(folder, **options)
        add_remote_code(Path(folder), "processor_config.json")

    def __call__(
        self,
        audio: Audio | list[Audio],
        text: str | Sequence[str] | None = None,
        task: str = "qa",
        sampling_rate: int | None = None,
        return_tensors: str | None = "pt",
    ) -> BatchFeature:
        """Inputs for one clip or a list of clips, each with its question or else the task's own prompt.

        audio: what `usam.audio.clip.load_clip` reads, or samples [samples] or [samples, channels], which need
        their `sampling_rate` in Hz (16000 if left out, as usual with speech models). return_tensors:
        PyTorch's, "pt", are the only ones there are.

        Returns waveform [B, S] (16 kHz, zero-padded), samples [B], input_ids [B, M] with AUDIO in the audio
        tokens' place, attention_mask [B, M], question_mask [B, M] and translate [B], true where speech is
        wanted in English. Raises AudioError, RequestError.
        """
        if return_tensors not in (None, "pt"):
            raise RequestError(f'The processor returns PyTorch\'s tensors ("pt"), not {return_tensors!r}.')
        clips: list[Audio] = audio if isinstance(audio, list) else [audio]
        texts = [text] * len(clips) if text is None or isinstance(text, str) else list(text)
        if len(texts) != len(clips):
            raise RequestError(f"There are {len(clips)} clips but {len(texts)} questions.")
        waveforms = [_waveform(clip, sampling_rate or SAMPLE_RATE) for clip in clips]
        questions = [check_question(question, task) for question in texts]
        prompts = [self.prompts.build(question) for question in questions]
        place = torch.tensor([AUDIO])
        ids = [torch.cat([prompt.left, place, prompt.right]) for prompt in prompts]
        # `right` is a line break, the question and the turn's end: see `PromptBuilder.build`.
        asked = [
            torch.arange(len(row)).sub(len(prompt.left) + 2).ge(0)
            & torch.arange(len(row)).lt(len(prompt.left) + 2 + len(prompt.question))
            for row, prompt in zip(ids, prompts, strict=True)
        ]
        return BatchFeature(
            {
                "waveform": pad_sequence(waveforms, batch_first=True),
                "samples": torch.tensor([len(waveform) for waveform in waveforms]),
                "input_ids": pad_sequence(ids, batch_first=True),
                "attention_mask": pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
                "question_mask": pad_sequence(asked, batch_first=True),
                "translate": torch.tensor([speech_task(task, text) == "translate" for text in questions]),
            }
        )

    def decode(self, ids: Any, **options: Any) -> str:
        """Token ids [N] of one answer, as text without control tokens."""
        return str(self.tokenizer.decode(ids, **({"skip_special_tokens": True} | options))).strip()

    def batch_decode(self, ids: Any, **options: Any) -> list[str]:
        """Token ids [B, N] of answers, as texts."""
        return [self.decode(row, **options) for row in ids]

    @property
    def model_input_names(self) -> list[str]:
        return ["waveform", "samples", "input_ids", "attention_mask", "question_mask", "translate"]


def _waveform(audio: Audio, rate: int) -> Tensor:
    if isinstance(audio, Clip):
        return audio.waveform
    if isinstance(audio, Tensor):
        audio = audio.detach().cpu().numpy()
    return load_clip((rate, audio) if isinstance(audio, np.ndarray) else audio).waveform


AutoProcessor.register(USAMConfig, USAMProcessor, exist_ok=True)
