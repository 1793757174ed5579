"""The kept clips as the whole model hears them, kept on disk, and batches of what is answered about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from usam.adapter.tokens import AudioTokens
from usam.adapter.words import WordGrid, batch, grid, place
from usam.audio.clip import load_clip
from usam.encoders.heads.asked_speech import speech_request
from usam.llm.prompts import Prompt
from usam.model.listening import words_of
from usam.model.model import USAM
from usam.schema.tasks import SpeechRequest
from usam.schema.words import Word
from usam.training.preferences.rows import Asked


@dataclass(frozen=True)
class Heard:
    """tokens [L, H] of the Q-Former, and the words of each expert; imagined clips have words alone.

    name: which clip it is, as heard by which checkpoint.
    """

    tokens: Tensor
    words: tuple[tuple[Word, ...], ...]
    name: str
    imagined: bool = False


@dataclass(frozen=True)
class Completion:
    """An answer, as token ids [N] with its end mark, to a prompt about a clip."""

    heard: Heard
    prompt: Prompt
    answer: Tensor


@dataclass(frozen=True)
class AnswerBatch:
    """tokens [B, L, H] of the Q-Former with their mask, words if the checkpoint reads them, and answers."""

    tokens: Tensor
    mask: Tensor
    words: WordGrid | None
    prompts: Sequence[Prompt]
    answers: Sequence[Tensor]


class RatedClips:
    """A folder with a file for each clip and what was wanted of its speech, named by content and the
    checkpoint that heard it.

    What it holds does not change in tuning: the encoders and the Q-Former stay as they are.
    """

    def __init__(self, folder: Path, model: USAM, checkpoint: str) -> None:
        """checkpoint: its fingerprint."""
        self.folder, self.model, self.checkpoint = folder, model, checkpoint
        self._read: dict[tuple[Path, SpeechRequest], Heard] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def heard(self, asked: Asked) -> Heard:
        """What is heard of the clip for what is asked. Raises AudioError or OSError if it cannot be read."""
        request = speech_request(asked.task, asked.question)
        key = asked.audio, request
        if key not in self._read:
            content = hashlib.sha256(asked.audio.read_bytes()).hexdigest()
            name = hashlib.sha256(f"{content} {request.key} {self.checkpoint}".encode()).hexdigest()[:24]
            file = self.folder / f"{name}.safetensors"
            if not file.exists():
                self._store(file, asked.audio, request)
            with safe_open(file, framework="pt") as stored:
                streams = json.loads(stored.metadata()["words"])
                words = tuple(tuple(Word(**word) for word in stream) for stream in streams)
                self._read[key] = Heard(stored.get_tensor("tokens"), words, name)
        return self._read[key]

    @torch.inference_mode()
    def _store(self, file: Path, audio: Path, request: SpeechRequest) -> None:
        model = self.model
        hearing = model.hear(load_clip(audio).waveform, request)
        mask = torch.ones(1, len(hearing.frames), dtype=torch.bool, device=hearing.frames.device)
        tokens, _ = model.adapter.encode(hearing.frames[None], mask)
        streams = model.word_streams
        words = words_of(hearing, streams, request, model.adapter.speaker) if streams else ()
        part = file.with_suffix(".part")
        metadata = {"words": json.dumps([[asdict(word) for word in stream] for stream in words])}
        save_file({"tokens": tokens[0].half().cpu().contiguous()}, part, metadata=metadata)
        part.rename(file)


def collate(model: USAM, completions: Sequence[Completion]) -> AnswerBatch:
    """Answers padded to the longest clip, on the model's device."""
    tokens = [one.heard.tokens.float() for one in completions]
    lengths = torch.tensor([len(own) for own in tokens])
    words = None
    if model.adapter.words is not None:
        words = batch([_grid(model, one.heard) for one in completions]).to(model.device)
    return AnswerBatch(
        pad_sequence(tokens, batch_first=True).to(model.device),
        (torch.arange(int(lengths.max())) < lengths[:, None]).to(model.device),
        words,
        [one.prompt for one in completions],
        [one.answer for one in completions],
    )


def _grid(model: USAM, heard: Heard) -> WordGrid:
    length, seconds = len(heard.tokens), model.adapter.config.token_seconds
    one = grid(place(heard.words, length, seconds), length, seconds, model.prompts.ids)
    if heard.imagined:
        one.spoken.fill_(True)  # it has no projection of its own to read
    return one


def read_audio(model: USAM, given: AnswerBatch) -> AudioTokens:
    """The audio tokens as they are read in answers: where there are words, without what is redundant."""
    questions = [prompt.question for prompt in given.prompts]
    audio = model.project(given.tokens, given.mask, questions, given.words)
    if given.words is None:
        return audio
    with torch.no_grad():
        kept = model.significance(audio, questions).total > model.adapter.saclm.threshold
    return audio.keep(kept)


def answer_inputs(model: USAM, given: AnswerBatch) -> dict[str, Tensor]:
    """Inputs of the LLM with the answers as labels."""
    return model.assemble(read_audio(model, given), given.prompts, given.answers)


def asked_prompt(model: USAM, asked: Asked) -> Prompt:
    """The prompt of a question, as the engine builds it."""
    return model.prompts.build(asked.question, asked.turns)


def without_tokens(heard: Heard, length: int, width: int) -> Heard:
    """An imagined clip of so many tokens, of which only the words are read."""
    return replace(heard, tokens=torch.zeros(length, width), imagined=True)
