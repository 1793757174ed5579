"""How likely the model as it was holds answers: computed once, kept on disk, and what tuning is held to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from usam.model.model import IGNORED, USAM
from usam.training.execution import Execution
from usam.training.preferences.clips import AnswerBatch, Completion, answer_inputs, collate

LIKELIEST = 32  # tokens of each place of an answer that are kept with their probabilities
BATCH = 6
REPORTED = 5  # batches between two reports


@dataclass(frozen=True)
class Reference:
    """logprobs [N] of an answer's tokens in nats; the likeliest tokens at each place, ids and logprobs
    [N, LIKELIEST]."""

    logprobs: Tensor
    ids: Tensor
    likeliest: Tensor

    @property
    def total(self) -> float:
        return float(self.logprobs.sum())


class References:
    """A folder with a file for each answer, named by what is heard, asked and answered."""

    def __init__(self, folder: Path, model: USAM, execution: Execution = Execution()) -> None:
        self.folder, self.model, self.execution = folder, model, execution
        folder.mkdir(parents=True, exist_ok=True)

    def of(self, completions: Sequence[Completion], report: Callable[[str], None] = print) -> list[Reference]:
        """In the order of `completions`, after computing what is missing; answers of like length together."""
        files = [self.folder / f"{identity(one)}.safetensors" for one in completions]
        missing = {file: one for file, one in zip(files, completions, strict=True) if not file.exists()}
        ordered = sorted(missing.items(), key=lambda entry: read_length(entry[1]))
        batches = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
        for number, batch in enumerate(batches, 1):
            self._store(batch)
            if number % REPORTED == 0 or number == len(batches):
                report(f"reference: {min(number * BATCH, len(ordered))} of {len(ordered)} answers")
        return [Reference(**load_file(file)) for file in files]

    @torch.inference_mode()
    def _store(self, batch: Sequence[tuple[Path, Completion]]) -> None:
        scored = score(self.model, collate(self.model, [one for _, one in batch]), self.execution)
        for row, (file, _) in enumerate(batch):
            logprobs = scored.logits[scored.row == row].log_softmax(-1)
            likeliest, ids = logprobs.topk(min(LIKELIEST, logprobs.shape[-1]))
            tensors = {
                "logprobs": scored.logprobs[scored.row == row],
                "likeliest": likeliest,
                "ids": ids,
            }
            part = file.with_suffix(".part")
            save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, part)
            part.rename(file)


def identity(completion: Completion) -> str:
    """Names an answer to a prompt about a clip, as a checkpoint heard it."""
    asked = f"{completion.heard.name} {completion.prompt.right.tolist()} {completion.answer.tolist()}"
    return hashlib.sha256(asked.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Scored:
    """Of every token of the answers of a batch, in order: its logprob [N], the vocabulary's logits there
    [N, V], and the row it belongs to [N]."""

    logprobs: Tensor
    logits: Tensor
    row: Tensor
    rows: int

    def totals(self) -> Tensor:
        """Log-probability of each answer [B]."""
        return self.logprobs.new_zeros(self.rows).index_add(0, self.row, self.logprobs)

    def means(self) -> Tensor:
        """Log-probability of each answer's tokens on average [B]."""
        return self.totals() / torch.bincount(self.row, minlength=self.rows).clamp_min(1)


def scored_before(references: Sequence[Reference]) -> Scored:
    """What the reference itself held of these answers, as `score` tells it of a model, but for the logits."""
    lengths = torch.tensor([len(one.logprobs) for one in references])
    logprobs = torch.cat([one.logprobs for one in references])
    rows = torch.arange(len(references)).repeat_interleave(lengths)
    return Scored(logprobs, logprobs.new_empty(len(logprobs), 0), rows, len(references))


def score(model: USAM, given: AnswerBatch, execution: Execution = Execution()) -> Scored:
    """One pass over a batch of answers; SACLM's choice of what is read passes no gradients."""
    with execution.autocast(model.device):
        inputs = answer_inputs(model, given)
        logits = model.answer_logits(inputs)
    targets = inputs["labels"][:, 1:]
    row, place = (targets != IGNORED).nonzero(as_tuple=True)
    logprobs = logits.log_softmax(-1).gather(1, targets[row, place][:, None]).squeeze(1)
    return Scored(logprobs, logits, row, len(targets))


def score_all(model: USAM, completions: Sequence[Completion], execution: Execution = Execution()) -> Scored:
    """As `score`, of any number of answers: those of like length together, since padding costs as much as
    what is read."""
    order = sorted(range(len(completions)), key=lambda index: read_length(completions[index]))
    parts, rows = [], []
    for run in in_batches(len(completions), BATCH):
        places = [order[index] for index in run]
        part = score(model, collate(model, [completions[place] for place in places]), execution)
        parts.append(part)
        rows.append(torch.tensor(places, device=part.row.device)[part.row])
    return Scored(
        torch.cat([part.logprobs for part in parts]),
        torch.cat([part.logits for part in parts]),
        torch.cat(rows),
        len(completions),
    )


def read_length(completion: Completion) -> int:
    """About how many vectors and tokens the language model reads: four characters of a word are a piece."""
    words = sum(len(word.read) for stream in completion.heard.words for word in stream) // 4
    return (words or len(completion.heard.tokens)) + len(completion.prompt.right) + len(completion.answer)


def divergence(reference: Reference, logits: Tensor) -> Tensor:
    """KL divergence of logits [N, V] from the reference at each place of its answer [N], in nats.

    All tokens but the reference's likeliest count as one, which is never more than the whole divergence.
    """
    policy = logits.log_softmax(-1).gather(1, reference.ids.to(logits.device))
    likeliest = reference.likeliest.to(logits.device)
    parts = likeliest.exp() * (likeliest - policy)
    rest, policy_rest = rest_of(likeliest), rest_of(policy)
    return parts.sum(-1) + rest * (rest.log() - policy_rest.log())


def rest_of(logprobs: Tensor) -> Tensor:
    """The probability [N] that some logprobs [N, K] leave to all other tokens, a little at least."""
    return (1 - logprobs.exp().sum(-1)).clamp_min(1e-6)


def in_batches(count: int, size: int) -> Iterator[range]:
    """Indices in runs of at most `size`."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))
