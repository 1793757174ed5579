"""Stage 2: the LLM learns to answer from audio tokens, by LoRA on its linear layers.

The adapter goes on learning slowly, CTC beside it so that tokens keep pointing at words. Tokens that
the word anchor holds to be blank are left out of some batches: the LLM has to read a clip with and
without them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor

from usam.data.frame_cache import prefetch
from usam.data.instructions import Instruction, Instructor
from usam.encoders import Whisper
from usam.encoders.whisper import FROZEN_LAYERS
from usam.llm.prompts import Prompt
from usam.model.model import LORA, SPEECH_LORA, USAM
from usam.training.stages.alignment import (
    SACLM_WEIGHT,
    AlignmentBatch,
    AlignmentItem,
    Collator,
    Pool,
    blank,
    domain,
    draw,
    listen,
    saclm,
    word_losses,
)
from usam.training.targets.word_targets import WordPieces
from usam.training.trainer import Budget, draws, train

BLANK_DROPPED = 0.8  # posterior of the blank above which a token may be left out
DROP_SHARE = 0.6  # share of batches that leave such tokens out
WORD_LOSSES_WEIGHT = 0.3
WORDWISE = frozenset({"asr"})  # answers written in the pieces the audio tokens point at, so that they copy


@dataclass(frozen=True)
class InstructBatch:
    """An alignment batch with an instruction for every clip, as token ids."""

    clips: AlignmentBatch
    instructions: Sequence[Instruction]
    prompts: Sequence[Prompt]
    answers: Sequence[Tensor]


def with_lora(model: USAM, start: Path | None = None) -> None:
    """Wrap the LLM with LoRA layers (peft): fresh ones, or those of the checkpoint `start` to go on with."""
    config = model.adapter.config
    lora = LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        target_modules=list(config.lora_targets),
        task_type="CAUSAL_LM",
    )
    model.llm = _tunable(model.llm, lora, start and start / LORA)


def with_speech_lora(model: USAM, start: Path | None = None) -> None:
    """Wrap the speech encoder's layers above those that are cached, as `with_lora` does the LLM's."""
    config, whisper = model.adapter.config, model.encoders[0]
    assert isinstance(whisper, Whisper)
    lora = LoraConfig(
        r=config.speech_lora_rank,
        lora_alpha=config.speech_lora_alpha,
        target_modules=list(config.speech_lora_targets),
        layers_to_transform=list(range(FROZEN_LAYERS, len(whisper.encoder.layers))),
        layers_pattern="layers",
    )
    whisper.encoder = _tunable(whisper.encoder, lora, start and start / SPEECH_LORA)


def _tunable(base: Any, lora: LoraConfig, folder: Path | None) -> Any:
    """The model with the LoRA kept in `folder`, or a fresh one where there is none."""
    if folder is not None and folder.exists():
        return PeftModel.from_pretrained(base, folder, is_trainable=True)
    return get_peft_model(base, lora)


def answer_ids(model: USAM, pieces: WordPieces, instruction: Instruction) -> Tensor:
    if instruction.category in WORDWISE:
        end = model.prompts.ids("<|im_end|>", control=True)
        return torch.tensor(pieces.pieces(instruction.answer) + end)
    return model.prompts.answer(instruction.answer)


def collate(
    align: Collator,
    model: USAM,
    instructor: Instructor,
    pieces: WordPieces,
    random: Random,
    items: Sequence[AlignmentItem],
) -> InstructBatch:
    clips = align(items)
    instructions = [instructor.draw(item.example, item.heard, random) for item in items]
    prompts = [model.prompts.build(instruction.question) for instruction in instructions]
    answers = [answer_ids(model, pieces, instruction) for instruction in instructions]
    return InstructBatch(clips, instructions, prompts, answers)


def instruct_losses(
    model: USAM, random: Random, with_saclm: bool, batch: InstructBatch, step: int
) -> dict[str, Tensor]:
    """Cross-entropy of the answers, with the light terms of stage 1; a loss for each kind of question."""
    clips = batch.clips
    with torch.autocast("cpu", torch.bfloat16):
        audio = model.embed_audio(
            listen(model, clips, tuning=False), clips.mask, [prompt.question for prompt in batch.prompts]
        )
        assert audio.logits is not None
        log_probs = audio.logits.float().log_softmax(-1)
        given = audio
        if random.random() < DROP_SHARE:
            given = audio.keep(log_probs[..., -1].exp() < BLANK_DROPPED)
        answers = model.answer_loss(model.assemble(given, batch.prompts, batch.answers))
    parts = {"answer": answers.mean()}
    for category in {instruction.category for instruction in batch.instructions}:
        rows = [i for i, instruction in enumerate(batch.instructions) if instruction.category == category]
        parts[category] = answers[rows].mean().detach()
    pointing = word_losses(audio, log_probs, clips)
    loss = parts["answer"] + WORD_LOSSES_WEIGHT * sum(pointing.values(), log_probs.new_zeros(()))
    parts |= {name: value.detach() for name, value in pointing.items()}
    parts["domain"] = domain(audio, [item.example.kind for item in clips.items])
    light = [parts["domain"]]
    if with_saclm:
        texts = [torch.cat([p.question, a]) for p, a in zip(batch.prompts, batch.answers, strict=True)]
        parts["saclm"] = saclm(model, audio, texts)
        parts["blank"] = blank(model, audio, log_probs, texts)
        light += [parts["saclm"], parts["blank"]]
    loss = loss + SACLM_WEIGHT * sum(light[1:], light[0])
    return {"loss": loss, **parts}


def run_instruct(
    model: USAM,
    align: Collator,
    pools: Sequence[Pool],
    instructor: Instructor,
    pieces: WordPieces,
    budget: Budget,
    folder: Path,
    seed: int = 0,
    started: bool = False,
    with_saclm: bool = True,
    seconds: float = 48.0,
) -> None:
    """Train LoRA and, slowly, the adapter on answers; the speech encoder stays as stage 1 left it.

    `started` is a model that answers already, which smaller steps improve on.
    """
    torch.manual_seed(seed)
    model.encoders.requires_grad_(False)
    model.train()
    lora = [parameter for parameter in model.llm.parameters() if parameter.requires_grad]
    groups = [
        {"params": lora, "lr": 2.5e-4 if started else 5e-4},
        {"params": list(model.adapter.parameters()), "lr": 1e-4},
    ]
    batches: Iterator[InstructBatch] = prefetch(
        draw(pools, seconds, draws(folder, seed)),
        partial(collate, align, model, instructor, pieces, draws(folder, seed, "questions")),
    )
    losses = partial(instruct_losses, model, draws(folder, seed, "left out"), with_saclm)
    train(model, groups, batches, losses, budget, folder)
