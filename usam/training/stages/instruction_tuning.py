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
from torch import Tensor

from usam.data.frame_cache import prefetch
from usam.data.instructions import Instruction, Instructor
from usam.llm.prompts import Prompt
from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.rounding import Rounding
from usam.training.stages.batches import AlignmentBatch, AlignmentItem, Collator, Pool, draw, encode_frames
from usam.training.stages.losses import SACLM_WEIGHT, blank_loss, routing_loss, saclm_loss, word_losses
from usam.training.targets.word_targets import WordPieces
from usam.training.trainer import Budget, draws, train

BLANK_DROPPED = 0.8  # posterior of the blank above which a token may be left out
DROP_SHARE = 0.6  # share of batches that leave such tokens out
WORD_LOSSES_WEIGHT = 0.3
WORDWISE = frozenset({"asr"})  # answers written in the pieces the audio tokens point at, so that they copy


@dataclass(frozen=True)
class InstructionBatch:
    """An alignment batch with an instruction for every clip, as token ids."""

    clips: AlignmentBatch
    instructions: Sequence[Instruction]
    prompts: Sequence[Prompt]
    answers: Sequence[Tensor]


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
) -> InstructionBatch:
    clips = align(items)
    instructions = [instructor.draw(item.example, item.heard, random) for item in items]
    prompts = [model.prompts.build(instruction.question) for instruction in instructions]
    answers = [answer_ids(model, pieces, instruction) for instruction in instructions]
    return InstructionBatch(clips, instructions, prompts, answers)


def instruction_losses(
    model: USAM,
    random: Random,
    with_saclm: bool,
    batch: InstructionBatch,
    step: int,
    execution: Execution = Execution(),
) -> dict[str, Tensor]:
    """Cross-entropy of the answers, with the light terms of stage 1; a loss for each kind of question."""
    clips = batch.clips
    with execution.autocast(model.device):
        audio = model.embed_audio(
            encode_frames(model, clips, tuning=False),
            clips.mask,
            [prompt.question for prompt in batch.prompts],
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
    parts["domain"] = routing_loss(audio, [item.example.kind for item in clips.items])
    light = [parts["domain"]]
    if with_saclm:
        texts = [torch.cat([p.question, a]) for p, a in zip(batch.prompts, batch.answers, strict=True)]
        parts["saclm"] = saclm_loss(model, audio, texts)
        parts["blank"] = blank_loss(model, audio, log_probs, texts)
        light += [parts["saclm"], parts["blank"]]
    loss = loss + SACLM_WEIGHT * sum(light[1:], light[0])
    return {"loss": loss, **parts}


def run_instruction_tuning(
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
    execution: Execution = Execution(),
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
    batches: Iterator[InstructionBatch] = prefetch(
        draw(pools, seconds, draws(folder, seed)),
        partial(collate, align, model, instructor, pieces, draws(folder, seed, "questions")),
    )
    left_out = draws(folder, seed, "left out")
    losses = partial(instruction_losses, model, left_out, with_saclm, execution=execution)
    train(
        model,
        groups,
        batches,
        losses,
        budget,
        folder,
        execution=execution,
        before_step=Rounding(model.llm),
    )
