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

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor

from usam.config import USAMConfig
from usam.model import USAM
from usam.prompts import Prompt
from usam.training.alignment import (
    SACLM_WEIGHT,
    AlignmentBatch,
    AlignmentItem,
    Pool,
    blank,
    ctc,
    domain,
    draw,
    spec_augment,
)
from usam.training.alignment import collate as align_collate
from usam.training.features import FeatureCache, prefetch
from usam.training.instructions import Instruction, Instructor
from usam.training.loop import Budget, train
from usam.training.targets import WordPieces

BLANK_DROPPED = 0.8  # posterior of the blank above which a token may be left out
DROP_SHARE = 0.6  # share of batches that leave such tokens out
CTC_WEIGHT = 0.3
LONGEST_FRAMES = 300  # of clips without words: the LLM's cost grows with every token
WORDWISE = frozenset({"asr"})  # answers written in the pieces the audio tokens point at, so that they copy


@dataclass(frozen=True)
class InstructBatch:
    """An alignment batch with an instruction for every clip, as token ids."""

    clips: AlignmentBatch
    instructions: Sequence[Instruction]
    prompts: Sequence[Prompt]
    answers: Sequence[Tensor]


def with_lora(model: USAM, config: USAMConfig) -> None:
    """Wrap the LLM with fresh LoRA layers (peft)."""
    lora = LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        target_modules=list(config.lora_targets),
        task_type="CAUSAL_LM",
    )
    model.llm = get_peft_model(model.llm, lora)  # type: ignore[assignment]


def answer_ids(model: USAM, pieces: WordPieces, instruction: Instruction) -> Tensor:
    if instruction.category in WORDWISE:
        end = model.prompts.ids("<|im_end|>", control=True)
        return torch.tensor(pieces.pieces(instruction.answer) + end)
    return model.prompts.answer(instruction.answer)


def collate(
    cache: FeatureCache,
    model: USAM,
    instructor: Instructor,
    pieces: WordPieces,
    random: Random,
    items: Sequence[AlignmentItem],
) -> InstructBatch:
    clips = align_collate(cache, model, items, LONGEST_FRAMES)
    instructions = [instructor.draw(item.example, random) for item in items]
    prompts = [model.prompts.build(instruction.question) for instruction in instructions]
    answers = [answer_ids(model, pieces, instruction) for instruction in instructions]
    return InstructBatch(clips, instructions, prompts, answers)


def instruct_losses(model: USAM, random: Random, batch: InstructBatch, step: int) -> dict[str, Tensor]:
    """Cross-entropy of the answers, with the light terms of stage 1; a loss for each kind of question."""
    clips = batch.clips
    with torch.autocast("cpu", torch.bfloat16):
        audio = model.embed_audio(
            spec_augment(clips.frames), clips.mask, [prompt.question for prompt in batch.prompts]
        )
        assert audio.logits is not None
        log_probs = audio.logits.float().log_softmax(-1)
        given = audio
        if random.random() < DROP_SHARE:
            given = audio.keep(log_probs[..., -1].exp() < BLANK_DROPPED)
        answers = model.answer_loss(model.assemble(given, batch.prompts, batch.answers))
    speech = torch.tensor([item.sequence for item in clips.items])
    parts = {"answer": answers.mean()}
    for category in {instruction.category for instruction in batch.instructions}:
        rows = [i for i, instruction in enumerate(batch.instructions) if instruction.category == category]
        parts[category] = answers[rows].mean().detach()
    loss = parts["answer"]
    if speech.any():
        parts["ctc"] = ctc(
            log_probs[speech], audio.mask[speech], [i.words for i in clips.items if i.sequence]
        )
        loss = loss + CTC_WEIGHT * parts["ctc"]
    parts["domain"] = domain(audio, [item.example.kind for item in clips.items])
    texts = [torch.cat([p.question, a]) for p, a in zip(batch.prompts, batch.answers, strict=True)]
    parts["saclm"] = model.adapter.saclm.loss(audio.tokens, audio.mask, *model.embed_text(texts))
    parts["blank"] = blank(model, audio, log_probs, texts)
    loss = loss + SACLM_WEIGHT * (parts["domain"] + parts["saclm"] + parts["blank"])
    return {"loss": loss, **parts}


def run_instruct(
    model: USAM,
    cache: FeatureCache,
    pools: Sequence[Pool],
    instructor: Instructor,
    pieces: WordPieces,
    budget: Budget,
    folder: Path,
    seed: int = 0,
    seconds: float = 48.0,
) -> None:
    """Train LoRA and, slowly, the adapter on answers."""
    torch.manual_seed(seed)
    random = Random(seed)
    model.train()
    lora = [parameter for parameter in model.llm.parameters() if parameter.requires_grad]
    groups = [
        {"params": lora, "lr": 5e-4},
        {"params": list(model.adapter.parameters()), "lr": 1e-4},
    ]
    batches: Iterator[InstructBatch] = prefetch(
        draw(pools, seconds, seed), partial(collate, cache, model, instructor, pieces, random)
    )
    train(model, groups, batches, partial(instruct_losses, model, random), budget, folder)
