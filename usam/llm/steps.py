"""Any causal language model token by token, through transformers: the fast steps where its form is known."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from transformers import DynamicCache, LlamaForCausalLM, PreTrainedModel

from usam.llm.backend import CANDIDATES, StepDecoder, TopLogits
from usam.llm.llama import LlamaStepDecoder, is_llama


def step_decoder(llm: PreTrainedModel) -> StepDecoder[Any]:
    """The fastest decoder there is for a language model."""
    return LlamaStepDecoder(cast(LlamaForCausalLM, llm)) if is_llama(llm) else TransformersStepDecoder(llm)


@dataclass
class TransformersKVCache:
    """transformers' cache of one or several sequences; `top`: how many next tokens are returned."""

    entries: DynamicCache
    top: int | None

    def expand(self, count: int) -> TransformersKVCache:
        """`count` sequences that go on from a single one, which stays as it is."""
        copied = deepcopy(self.entries)
        copied.batch_repeat_interleave(count)
        return TransformersKVCache(copied, self.top)

    def reorder(self, parents: Sequence[int]) -> None:
        """Let every sequence go on from the one that `parents` [B] names, in place."""
        self.entries.reorder_cache(cast(torch.LongTensor, torch.tensor(list(parents))))


class TransformersStepDecoder:
    """Prefill and single steps by the model's own forward pass."""

    def __init__(self, llm: PreTrainedModel) -> None:
        self.llm: Any = llm

    @torch.inference_mode()
    def prefill(
        self, embeddings: Tensor, room: int, top: int | None = CANDIDATES
    ) -> tuple[TopLogits, TransformersKVCache]:
        """Read a prompt [1, S, D]; what may follow it. The cache grows by itself, whatever the `room`."""
        cache = TransformersKVCache(DynamicCache(config=self.llm.config), top)
        return self._forward(cache, inputs_embeds=embeddings), cache

    @torch.inference_mode()
    def step(self, tokens: Sequence[int], cache: TransformersKVCache) -> TopLogits:
        """Append a token to every sequence [B]; what may follow it."""
        ids = torch.tensor(list(tokens), device=self.llm.device)[:, None]
        return self._forward(cache, input_ids=ids)

    def _forward(self, cache: TransformersKVCache, **inputs: Tensor) -> TopLogits:
        output = self.llm(**inputs, cache=cache.entries, logits_to_keep=1)
        logits = output.logits[:, -1]
        ids = logits.topk(min(cache.top or logits.shape[-1], logits.shape[-1])).indices.sort().values
        return TopLogits(ids, logits.gather(1, ids), logits.float().logsumexp(-1))
