"""The stage of words: the LLM learns to read the specialists' words in the audio tokens, and to answer.

Most scenes are imagined from text (`usam.data.scenes.imagination`), the rest are real clips with what the
specialists really say of them. Only vectors that say something are read, as in answers; SACLM's predictive
score learns which those are. The Q-Former, the experts and the word anchor stay as the earlier stages left
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from usam.adapter.words import WordGrid, batch, grid, place
from usam.data.instructions import Instruction
from usam.data.scenes import Scene, token_count
from usam.data.scenes.questions import SceneInstructor
from usam.llm.prompts import Prompt
from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.rounding import Rounding
from usam.training.trainer import Budget, train

INFORMATIVE_WEIGHT = 0.2
BUCKET = 4  # batches that are sorted by length together


@dataclass(frozen=True)
class ReadingBatch:
    """tokens [B, L, H] of the Q-Former with their mask, the words, and an instruction for each scene."""

    tokens: Tensor
    mask: Tensor
    words: WordGrid
    instructions: Sequence[Instruction]
    prompts: Sequence[Prompt]
    answers: Sequence[Tensor]


def clip_tokens(scene: Scene, width: int, token_seconds: float) -> Tensor:
    """The Q-Former's tokens of a scene [L, H], zeros for one that was imagined."""
    if scene.tokens is not None:
        return scene.tokens.float()
    return torch.zeros(token_count(scene, token_seconds), width)


def collate(model: USAM, scenes: Sequence[Scene], instructions: Sequence[Instruction]) -> ReadingBatch:
    """Scenes and what is asked of each, padded to the longest."""
    config = model.adapter.config
    tokens = [clip_tokens(scene, config.hidden_size, config.token_seconds) for scene in scenes]
    grids = []
    for scene, own in zip(scenes, tokens, strict=True):
        one = grid(
            place(scene.words, len(own), config.token_seconds),
            len(own),
            config.token_seconds,
            model.prompts.ids,
        )
        if scene.tokens is None:
            one.spoken.fill_(True)  # an imagined clip has no projection of its own to read
        grids.append(one)
    lengths = torch.tensor([len(own) for own in tokens])
    return ReadingBatch(
        pad_sequence(tokens, batch_first=True),
        torch.arange(int(lengths.max())) < lengths[:, None],
        batch(grids),
        instructions,
        [model.prompts.build(instruction.question) for instruction in instructions],
        [model.prompts.answer(instruction.answer) for instruction in instructions],
    )


def reading_losses(
    model: USAM, given: ReadingBatch, step: int, execution: Execution = Execution()
) -> dict[str, Tensor]:
    """Cross-entropy of the answers, and of SACLM's predictive score against which vectors say something."""
    with execution.autocast(model.device):
        audio = model.project(
            given.tokens, given.mask, [prompt.question for prompt in given.prompts], given.words
        )
        assert audio.informative is not None
        read = replace(audio, mask=audio.informative)
        answers = model.answer_loss(model.assemble(read, given.prompts, given.answers))
    logits = model.adapter.saclm.predictor(audio.tokens.detach().float()).squeeze(-1)
    wanted = audio.informative[audio.mask].float()
    informative = F.binary_cross_entropy_with_logits(logits[audio.mask], wanted)
    parts = {"answer": answers.mean(), "informative": informative}
    for category in {instruction.category for instruction in given.instructions}:
        rows = [i for i, instruction in enumerate(given.instructions) if instruction.category == category]
        parts[category] = answers[rows].mean().detach()
    return {"loss": parts["answer"] + INFORMATIVE_WEIGHT * informative, **parts}


def batches(
    model: USAM, draw: Callable[[Random], Scene], instructor: SceneInstructor, random: Random, size: int
) -> Iterator[ReadingBatch]:
    """Scenes of like length together, so that little is padding."""
    while True:
        scenes = [draw(random) for _ in range(size * BUCKET)]
        pairs = [(scene, instructor.draw(scene, random)) for scene in scenes]
        pairs.sort(
            key=lambda pair: sum(len(w.text) for words in pair[0].words for w in words) + len(pair[1].answer)
        )
        groups = [pairs[i : i + size] for i in range(0, len(pairs), size)]
        random.shuffle(groups)
        for group in groups:
            yield collate(model, [scene for scene, _ in group], [instruction for _, instruction in group])


def run_word_reading(
    model: USAM,
    draw: Callable[[Random], Scene],
    instructor: SceneInstructor,
    budget: Budget,
    folder: Path,
    random: Random,
    size: int = 16,
    rate: float = 3e-4,
    execution: Execution = Execution(),
) -> None:
    """Train LoRA, the words' gates, the router's push and SACLM's predictive score; all else stays."""
    model.adapter.requires_grad_(False)
    assert model.adapter.words is not None
    model.adapter.words.requires_grad_(True)
    model.adapter.saclm.predictor.requires_grad_(True)
    model.train()
    model.adapter.qformer.eval()
    lora = [parameter for parameter in model.llm.parameters() if parameter.requires_grad]
    groups = [
        {"params": lora, "lr": rate},
        {"params": list(model.adapter.words.parameters()), "lr": 1e-3},
        {"params": list(model.adapter.saclm.predictor.parameters()), "lr": 1e-3},
    ]
    train(
        model,
        groups,
        batches(model, draw, instructor, random, size),
        partial(reading_losses, model, execution=execution),
        budget,
        folder,
        execution=execution,
        before_step=Rounding(model.llm),
    )
