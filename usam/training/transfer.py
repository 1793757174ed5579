"""Another language model for a trained adapter: its text side is fitted anew to that model's embeddings.

What the adapter hears does not depend on the LLM: the Q-Former, the hidden layers of the experts, the words'
gates and the speaker head are taken over. What points into the LLM's embedding space (the experts' outputs,
the word anchor, the router's look at the prompt, SACLM's predictive score) is distilled: on the tokens of
clips it learns to name the same words, to route the same way and to find the same tokens redundant. It needs
no forward pass of either LLM, and takes minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from usam.adapter.adapter import USAMAdapter
from usam.config import USAMConfig
from usam.data import instructions
from usam.llm.text_space import TextSpace

QUESTIONS = (
    *instructions.TRANSCRIBE,
    *instructions.TRANSLATE,
    *instructions.KIND,
    *instructions.SOUND,
    *instructions.MUSIC,
    *instructions.OPEN,
    *instructions.FAMILY,
    *instructions.SPEAKING,
    *instructions.PLAYING,
)
STEPS = 400
TOKENS = 1_024  # of a step
RATE = 1e-3
REPORTED = 50  # steps between two reports


def transfer(
    old: USAMAdapter,
    source: TextSpace,
    target: TextSpace,
    config: USAMConfig,
    tokens: Sequence[Tensor],
    seed: int = 0,
    steps: int = STEPS,
    report: Callable[[str], None] = print,
) -> USAMAdapter:
    """The adapter `old`, made for `source`, as one for `target`, whose width is that of `config`.

    tokens: [L, H] of the Q-Former, of each of some clips. Words of the anchor that are no single token of the
    new vocabulary are left out.
    """
    assert old.anchor is not None
    torch.manual_seed(seed)
    kept, ids = shared_words(old.anchor.token_ids.tolist(), source.tokenizer, target.tokenizer)
    adapter = USAMAdapter(USAMConfig(**config.to_dict() | {"anchor_tokens": len(ids)}))
    fitting = {
        name: value
        for name, value in old.state_dict().items()
        if name in (own := adapter.state_dict()) and own[name].shape == value.shape
    }
    adapter.load_state_dict(fitting, strict=False)
    assert adapter.anchor is not None
    adapter.anchor.token_ids.copy_(torch.tensor(ids))
    old.attach(source.table)
    adapter.attach(target.table)
    point_alike(old, adapter, kept)
    distil(old.eval(), adapter.eval(), source, target, kept, torch.cat(list(tokens)), seed, steps, report)
    return adapter


def shared_words(
    ids: Sequence[int], source: PreTrainedTokenizerBase, target: PreTrainedTokenizerBase
) -> tuple[list[int], list[int]]:
    """Of token ids of one vocabulary: places of those that are tokens of the other too, and their ids there.

    Both have to be byte-level: the same token is then the same string.
    """
    vocabulary = target.get_vocab()
    pieces = source.convert_ids_to_tokens(list(ids))
    kept = [place for place, piece in enumerate(pieces) if piece in vocabulary]
    return kept, [vocabulary[pieces[place]] for place in kept]


@torch.no_grad()
def point_alike(old: USAMAdapter, new: USAMAdapter, kept: Sequence[int]) -> None:
    """Begin with the linear map under which the experts' outputs point at the same words."""
    assert old.anchor is not None
    assert new.anchor is not None
    alike = torch.linalg.lstsq(new.anchor.directions, old.anchor.directions[list(kept)]).solution  # [D', D]
    for mine, theirs in zip(outputs(new), outputs(old), strict=True):
        mine.weight.copy_(alike @ theirs.weight)
        mine.bias.copy_(alike @ theirs.bias)
    new.anchor.blank.weight.copy_(old.anchor.blank.weight @ torch.linalg.pinv(alike))
    new.anchor.blank.bias.copy_(old.anchor.blank.bias)


def outputs(adapter: USAMAdapter) -> list[nn.Linear]:
    """The last layer of each expert, which points into the LLM's embedding space."""
    return [cast(nn.Linear, cast(nn.Sequential, expert)[-1]) for expert in adapter.projector.experts]


def distil(
    old: USAMAdapter,
    new: USAMAdapter,
    source: TextSpace,
    target: TextSpace,
    kept: Sequence[int],
    tokens: Tensor,
    seed: int,
    steps: int,
    report: Callable[[str], None],
) -> None:
    """Fit what points into the embedding space to what it pointed at before; tokens [N, H]."""
    random, generator = Random(seed), torch.Generator().manual_seed(seed)
    assert new.anchor is not None
    fitted: list[nn.Parameter] = [
        *(parameter for output in outputs(new) for parameter in output.parameters()),
        *new.projector.prompt_norm.parameters(),
        *new.projector.router.parameters(),
        *new.anchor.blank.parameters(),
        *new.saclm.predictor.parameters(),
    ]
    for parameter in fitted:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(fitted, lr=RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    words = [*kept, len(old.anchor.token_ids)]  # type: ignore[union-attr]
    for step in range(1, steps + 1):
        part = tokens[torch.randint(len(tokens), (1, TOKENS), generator=generator)[0]][None].float()
        mask = torch.ones(part.shape[:2], dtype=torch.bool)
        question = random.choice(QUESTIONS)
        with torch.no_grad():
            before = old.project(part, mask, source.mean(question)[None])
            assert before.logits is not None
            wanted = before.logits[..., words].float().softmax(-1)
            informative = old.saclm.predictor(before.tokens.float()).sigmoid()
        audio, logits = new.anchor(new.projector.mix(part, before.routing))
        routing = new.projector.route(part, target.mean(question)[None])
        named = F.cross_entropy(logits.flatten(0, 1).float(), wanted.flatten(0, 1))
        routed = F.kl_div(routing.clamp_min(1e-6).log(), before.routing, reduction="none").sum(-1).mean()
        found = F.binary_cross_entropy_with_logits(new.saclm.predictor(audio.detach().float()), informative)
        optimizer.zero_grad(set_to_none=True)
        (named + routed + found).backward()
        nn.utils.clip_grad_norm_(fitted, 1.0)
        optimizer.step()
        schedule.step()
        if step % REPORTED == 0 or step == steps:
            same = (logits.argmax(-1) == wanted.argmax(-1)).float().mean()
            report(
                f"transfer, step {step} of {steps}: same word {same:.3f}, "
                f"routing {routed:.4f} nats apart, redundancy {found:.3f}"
            )
