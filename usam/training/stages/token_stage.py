"""Before stage 1: tokens of sounds and music, drawn one by one from all clips.

The tokens of one clip say nearly the same, so that a batch of a few clips teaches little. What the queries
took from their windows is computed once; then the slow path and the projector see a thousand different
clips in a batch, in the time of one joint step.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F

from usam.adapter.saclm import masked_mean
from usam.adapter.tokens import AudioTokens
from usam.model.model import USAM
from usam.schema.segments import KINDS
from usam.schema.tasks import TASKS
from usam.training.execution import Execution, to_device
from usam.training.stages.batches import AlignmentBatch, AlignmentItem, Collator, Pool, encode_frames
from usam.training.stages.losses import ROUTING_WEIGHT
from usam.training.trainer import Budget, draws, train

WORDS = 12  # the likeliest of each token's target are kept
BATCH = 768
CLIPS = 16  # that are encoded together


@dataclass(frozen=True)
class TokenTable:
    """Tokens of many clips: queries [N, H], slow channels [N, C], words and weights [N, WORDS], kinds [N].

    `odds` [N] is how likely a token is drawn: clips by their weight, whatever their length.
    """

    queries: Tensor
    slow: Tensor
    words: Tensor
    weights: Tensor
    kinds: Tensor
    odds: Tensor

    @classmethod
    def collect(
        cls,
        model: USAM,
        collate: Collator,
        items: Sequence[AlignmentItem],
        weights: Sequence[float],
        execution: Execution = Execution(),
    ) -> "TokenTable":
        """One cut of every clip that is not speech, encoded by the model as it is."""
        order = sorted(range(len(items)), key=lambda index: items[index].seconds)
        parts: list[list[Tensor]] = []
        for start in range(0, len(order), CLIPS):
            chosen = order[start : start + CLIPS]
            batch = collate([items[index] for index in chosen])
            batch = to_device(batch, model.device)
            parts += _tokens(model, batch, [weights[index] for index in chosen], execution)
        return cls(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def batches(self, classes: int, random: Random) -> Iterator["TokenBatch"]:
        """Endless batches of BATCH tokens over `classes` classes."""
        generator = torch.Generator().manual_seed(random.getrandbits(63))
        while True:
            index = torch.multinomial(self.odds, BATCH, replacement=True, generator=generator)
            words = torch.zeros(BATCH, classes).scatter_(1, self.words[index], self.weights[index].float())
            queries, slow = self.queries[index].float(), self.slow[index].float()
            yield TokenBatch(queries, slow, words, self.kinds[index])


@dataclass(frozen=True)
class TokenBatch:
    """Tokens drawn from a table: queries [N, H], slow channels [N, C], words [N, V + 1], kinds [N]."""

    queries: Tensor
    slow: Tensor
    words: Tensor
    kinds: Tensor


@torch.inference_mode()
def _tokens(
    model: USAM, batch: AlignmentBatch, weights: Sequence[float], execution: Execution
) -> Iterable[list[Tensor]]:
    """The columns of a table for the clips of a batch, on the CPU."""
    with execution.autocast(model.device):
        frames = encode_frames(model, batch, tuning=False)
        queries, slow, _ = model.adapter.qformer.listen(frames, batch.mask)
    assert batch.words is not None
    for row, (item, weight) in enumerate(zip(batch.items, weights, strict=True)):
        length = int((batch.words[row].sum(-1) > 0).sum())
        likely, words = batch.words[row, :length].topk(WORDS)
        kinds = torch.full((length,), KINDS.index(item.example.kind))
        odds = torch.full((length,), weight / max(length, 1))
        heard = [queries[row, :length].half(), slow[row, :length].half(), words, likely.half()]
        yield [*(column.cpu() for column in heard), kinds, odds]


def token_losses(
    model: USAM, prompt: Tensor, batch: TokenBatch, step: int, execution: Execution = Execution()
) -> dict[str, Tensor]:
    """Cross-entropy of the tokens' words, and the router's tie to the kind of audio."""
    with execution.autocast(model.device):
        joined = model.adapter.qformer.join(batch.queries[None], batch.slow[None])
        mask = torch.ones(1, len(batch.kinds), dtype=torch.bool, device=batch.queries.device)
        audio: AudioTokens = model.adapter.project(joined, mask, prompt)
    assert audio.logits is not None
    words = -(batch.words * audio.logits[0].float().log_softmax(-1)).sum(-1).mean()
    kinds = F.nll_loss(audio.routing[0].clamp_min(1e-6).log(), batch.kinds % audio.routing.shape[-1])
    return {"loss": words + ROUTING_WEIGHT * kinds, "words": words, "domain": kinds}


def run_token_stage(
    model: USAM,
    collate: Collator,
    pools: Sequence[Pool],
    budget: Budget,
    folder: Path,
    seed: int = 0,
    execution: Execution = Execution(),
) -> None:
    """Train the slow path and the experts of sound and music on single tokens; speech's own is left alone."""
    torch.manual_seed(seed)
    drawn = [
        (item, pool.share * weight / sum(pool.weights))
        for pool in pools
        for item, weight in zip(pool.items, pool.weights, strict=True)
        if not item.sequence
    ]
    if not drawn:
        return
    items, weights = zip(*drawn, strict=True)
    model.eval()
    table = TokenTable.collect(model, collate, items, weights, execution)
    model.train()
    qformer, projector = model.adapter.qformer, model.adapter.projector
    assert qformer.slow is not None
    experts = [p for expert in list(projector.experts)[1:] for p in expert.parameters()]
    groups = [
        {"params": list(qformer.slow.parameters()), "lr": 1.5e-3},
        {"params": [*experts, *projector.router.parameters()], "lr": 1e-3},
    ]
    question = torch.tensor(model.prompts.ids(TASKS["qa"].prompt))
    with torch.no_grad():
        prompt = masked_mean(*model.embed_text([question]))
    batches = table.batches(collate.targets.blank + 1, draws(folder, seed))
    losses = partial(token_losses, model, prompt, execution=execution)
    train(model.adapter, groups, batches, losses, budget, folder, execution=execution)
