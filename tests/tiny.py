"""A whole U-SAM small enough to build in a moment: random weights, the real classes, no downloads."""

import hashlib
import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from usam.adapter.adapter import USAMAdapter
from usam.audio.clip import Clip
from usam.audio.samples import SAMPLE_RATE
from usam.config import USAMConfig
from usam.encoders.base import Role
from usam.encoders.words import Heard
from usam.engine.engine import Engine
from usam.model.model import USAM
from usam.packed_linear import PACKED_ROWS
from usam.quantization import choose_precision
from usam.schema.words import Word

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
RATES = (50.0, 3.125, 12.5)  # Hz, those of the three real encoders
DIMS = (6, 5, 4)


def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes and the control tokens: it can write any text, and any ids are text.

    Some longer pieces fill the vocabulary up to what the 4-bit output layer takes.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*CONTROL, *alphabet]
    pieces += [f"piece{number}" for number in range(-len(pieces) % PACKED_ROWS)]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    core = Tokenizer(models.BPE(vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|im_end|>", additional_special_tokens=list(CONTROL)
    )


def config(**sizes: Any) -> USAMConfig:
    """Real frame rates and windows, narrow layers."""
    narrow = {
        "encoder_names": ("speech", "audio", "music"),
        "encoder_dims": DIMS,
        "llm_name": "tiny-llm",
        "llm_dim": 32,
        "hidden_size": 24,
        "num_heads": 2,
        "feedforward_size": 48,
        "expert_size": 40,
        "anchor_tokens": 50,
        "lora_rank": 4,
    }
    return USAMConfig(**{**narrow, **sizes})


def adapter(**sizes: Any) -> USAMAdapter:
    """An adapter in which every branch does something: residual branches that start at zero are filled."""
    torch.manual_seed(0)
    built = USAMAdapter(config(**sizes)).eval()
    with torch.no_grad():
        for parameter in built.qformer.layers.parameters():
            if not parameter.any():
                parameter.normal_(std=0.2)
        if built.anchor is not None:
            built.anchor.token_ids.copy_(torch.arange(3, 3 + len(built.anchor.token_ids)))
            built.anchor.free.fill_(0.5)
    return built


def llm(dim: int = 32, layers: int = 2) -> LlamaForCausalLM:
    torch.manual_seed(1)
    sizes = LlamaConfig(
        vocab_size=len(tokenizer()),
        hidden_size=dim,
        intermediate_size=2 * dim,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(sizes).eval()
    with torch.no_grad():
        model.get_input_embeddings().weight.normal_()
        model.lm_head.weight.normal_()
    return model


class ToyEncoder(nn.Module):
    """Each frame is a fixed projection of its own samples' shape, so that what is heard where is known."""

    def __init__(self, name: str, dim: int, frame_rate: float) -> None:
        super().__init__()
        self.name = self.role = name
        self.dim, self.frame_rate, self.sample_rate = dim, frame_rate, SAMPLE_RATE
        self.samples = int(SAMPLE_RATE / frame_rate)
        generator = torch.Generator().manual_seed(dim)
        self.register_buffer("projection", torch.randn(20, dim, generator=generator))
        self.calls = 0

    def frames(self, waveform: Tensor) -> Tensor:
        self.calls += 1
        count = math.ceil(len(waveform) / self.samples)
        padded = F.pad(waveform.to(self.projection.device), (0, count * self.samples - len(waveform)))
        return padded.view(count, 20, -1).mean(-1) @ self.projection


class ToyWords:
    """Says the same of every clip; `asked` keeps what was wanted of speech each time."""

    reads_frames = False
    weighs_kinds = False

    def __init__(self, role: Role, words: Sequence[Word], translated: Sequence[Word] = ()) -> None:
        self.role = role
        self.said = {"transcribe": list(words), "translate": list(translated or words)}
        self.asked: list[str] = []

    def words(self, heard: Heard) -> list[Word]:
        self.asked.append(heard.request.task)
        return list(self.said[heard.request.task])


def word_streams() -> tuple[ToyWords, ...]:
    """What is said and heard in the first second of a clip, one stream an encoder."""
    speech = [
        Word(0.2, 0.2, "French", 0.9, " [", "]"),
        Word(0.2, 0.45, "bon", 0.9, " "),
        Word(0.45, 0.7, "jour", 0.8, " "),
    ]
    english = [Word(0.2, 0.2, "French", 0.9, " [", "]"), Word(0.2, 0.7, "welcome", 0.7, " ")]
    sounds = [Word(0.0, 1.0, "dog", 0.6, " (", ""), Word(0.0, 1.0, "growl", 0.4, ", ", ")")]
    music = [Word(0.8, 1.0, "piano", 0.5, " {", "}")]
    return ToyWords("speech", speech, english), ToyWords("audio", sounds), ToyWords("music", music)


def model(**sizes: Any) -> USAM:
    """With `words=True`, one whose encoders say `word_streams()`."""
    encoders = [
        ToyEncoder(name, dim, rate)
        for name, dim, rate in zip(("speech", "audio", "music"), DIMS, RATES, strict=True)
    ]
    streams = word_streams() if sizes.get("words") else ()
    built = USAM(adapter(**sizes), llm(), tokenizer(), encoders, word_streams=streams)  # type: ignore[arg-type]
    return built.eval().requires_grad_(False)


def engine(folder: Path, **sizes: Any) -> Engine:
    """An engine around a tiny model; `folder` stands for its checkpoint."""
    return Engine(model(**sizes), choose_precision("none", "cpu"), folder, load_s=0.1)


def clip(seconds: float = 1.0, seed: int = 0, start: float = 0.0) -> Clip:
    """Loud noise of that length, heard from `start`."""
    generator = torch.Generator().manual_seed(seed)
    waveform = torch.randn(round(seconds * SAMPLE_RATE), generator=generator).mul(0.3).clamp(-1, 1)
    digest = hashlib.sha256(waveform.numpy().tobytes()).hexdigest()
    end = start + len(waveform) / SAMPLE_RATE
    return Clip(waveform, start, end, end + 1.0, digest)


def after_each_token(model: USAM, action: Callable[[int, Tensor], Tensor | None]) -> Callable[[], None]:
    """Call `action(step, logits)` in every forward pass of the LLM; what it returns replaces the logits."""
    step = 0

    def hook(module: nn.Module, inputs: Any, logits: Tensor) -> Tensor | None:
        nonlocal step
        step += 1
        return action(step, logits)

    return model.llm.lm_head.register_forward_hook(hook).remove


def end_after(model: USAM, tokens: int) -> Callable[[], None]:
    """Let the LLM end every answer by itself at this token."""

    def end(step: int, logits: Tensor) -> Tensor | None:
        if step < tokens:
            return None
        return F.one_hot(torch.tensor(model.prompts.end_id), logits.shape[-1]).mul(1e4).expand_as(logits)

    return after_each_token(model, end)


def say(model: USAM, text: str) -> Callable[[], None]:
    """Let the LLM write this text again and again."""
    ids = model.prompts.ids(text)

    def write(step: int, logits: Tensor) -> Tensor:
        token = torch.tensor(ids[(step - 1) % len(ids)])
        return F.one_hot(token, logits.shape[-1]).mul(1e4).expand_as(logits)

    return after_each_token(model, write)


def decoding_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "usam-decode"]
