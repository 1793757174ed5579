"""A Llama or a Qwen2 token by token: transformers' weights and arithmetic, without its generality.

For a small LLM on a CPU, what transformers does around the arithmetic of a step takes longer than the
arithmetic. Here a step is the arithmetic: keys and values go into tensors allocated once, layers that read
the same input are one matrix, and the vocabulary is read in 4 bits before the few likely words are scored
as they are. Attention over shared keys may differ from transformers' in the last bit of bfloat16: answers
part from it only where two words are as good as equally likely.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import DynamicCache, LlamaForCausalLM, PreTrainedModel, Qwen2ForCausalLM
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from usam.llm.backend import CANDIDATES, TopLogits
from usam.packed_linear import PACKED_ROWS, Linear, is_packed, side_by_side
from usam.quantization import quantized


@dataclass
class LlamaKVCache:
    """What the positions so far left behind, and the rotations of all there is room for.

    entries: of each layer [2, B, heads, room, D], keys and values; cos, sin [room, D]; `length` positions are
    filled, the first `prompt` of them by what all sequences share. top: how many next tokens are returned.
    """

    entries: list[Tensor]
    cos: Tensor
    sin: Tensor
    length: int
    prompt: int
    top: int | None

    @torch.inference_mode()
    def expand(self, count: int) -> "LlamaKVCache":
        """`count` sequences that go on from a single one."""
        entries = [entry.repeat(1, count, 1, 1, 1) for entry in self.entries]
        return replace(self, entries=entries)

    @torch.inference_mode()
    def reorder(self, parents: Sequence[int]) -> None:
        """Let every sequence go on from the one that `parents` [B] names, in place."""
        if list(parents) == list(range(len(parents))):
            return
        for entry in self.entries:
            written = entry[..., self.prompt : self.length, :]
            written.copy_(written[:, parents])


@dataclass(frozen=True)
class _Layer:
    attention_norm: Tensor
    attention_in: Linear
    attention_out: Linear
    feedforward_norm: Tensor
    feedforward_in: Linear
    feedforward_out: Linear


def is_llama(llm: PreTrainedModel) -> bool:
    """Whether an LLM's arithmetic is that of the steps here: a Llama's, or Qwen2's, which adds biases."""
    config = llm.config
    rotation = getattr(config, "rope_parameters", None) or {}
    return (
        isinstance(llm, LlamaForCausalLM | Qwen2ForCausalLM)
        and config.hidden_act == "silu"
        and not getattr(config, "use_sliding_window", False)
        and rotation.get("rope_type", "default") in ("default", "linear", "llama3")
    )


class LlamaStepDecoder:
    """Prefill and single steps of a Llama, or of what `is_llama` takes for one.

    A cache holds a prompt and one or several sequences that go on from it. Any number of caches may be open.
    """

    def __init__(self, llm: LlamaForCausalLM) -> None:
        config = llm.config
        self.llm = llm
        self.heads = config.num_attention_heads
        self.kv_heads = config.num_key_value_heads or self.heads
        self.width, self.epsilon = config.hidden_size, config.rms_norm_eps
        self.layers = [_read(layer) for layer in llm.model.layers]
        self.propose = _proposal(llm) or llm.lm_head

    @torch.inference_mode()
    def prefill(
        self, embeddings: Tensor, room: int, top: int | None = CANDIDATES
    ) -> tuple[TopLogits, LlamaKVCache]:
        """Read a prompt [1, S, D]; what may follow it, and a cache with room for `room` more tokens."""
        length = embeddings.shape[1]
        cache = DynamicCache()
        hidden = self.llm.model(inputs_embeds=embeddings, cache=cache).last_hidden_state
        filled: list[Any] = cache.layers
        entries = [F.pad(torch.stack([layer.keys, layer.values]), (0, 0, 0, room)) for layer in filled]
        places = torch.arange(length + room, device=embeddings.device)
        cos, sin = self.llm.model.rotary_emb(embeddings, places[None])
        half = sin.shape[-1] // 2
        signed = torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)
        kept = LlamaKVCache(entries, cos[0], signed[0], length, length, top)
        return self.top_logits(hidden[:, -1], top), kept

    @torch.inference_mode()
    def step(self, tokens: Sequence[int], cache: LlamaKVCache) -> TopLogits:
        """Append a token to every sequence [B]; what may follow it."""
        hidden = self.llm.model.embed_tokens.weight[list(tokens)]
        count, place, heads = len(tokens), cache.length, self.heads
        cos, sin = cache.cos[place], cache.sin[place]
        width, half, turned = len(cos), len(cos) // 2, heads + self.kv_heads
        for layer, entry in zip(self.layers, cache.entries, strict=True):
            projected = layer.attention_in(self._norm(hidden, layer.attention_norm)).view(count, -1, width)
            rotated = projected[:, :turned]
            rotated.copy_(rotated * cos + rotated.roll(half, -1) * sin)
            query, added = projected.split((heads, 2 * self.kv_heads), 1)
            entry.select(3, place).copy_(added.view(count, 2, -1, width).transpose(0, 1))
            keys, values = entry.narrow(3, 0, place + 1)
            # The heads that share keys stand as positions of one head: the keys are then read once.
            shared = query.reshape(count, self.kv_heads, -1, width)
            attended = F.scaled_dot_product_attention(shared, keys, values)
            hidden = hidden + layer.attention_out(attended.reshape(count, -1))
            gate, up = layer.feedforward_in(self._norm(hidden, layer.feedforward_norm)).chunk(2, -1)
            hidden = hidden + layer.feedforward_out(F.silu(gate) * up)
        cache.length += 1
        return self.top_logits(self._norm(hidden, self.llm.model.norm.weight), cache.top)

    def top_logits(self, hidden: Tensor, top: int | None = CANDIDATES) -> TopLogits:
        """The `top` likeliest tokens, or all, after final hidden states [B, D].

        A 4-bit copy of the output layer only proposes the likeliest: their logits are those of the layer
        itself. Where all are wanted, all are the layer's own.
        """
        if top is None:
            logits = self.llm.lm_head(hidden)
            ids = torch.arange(logits.shape[-1], device=logits.device).expand(len(logits), -1)
            return TopLogits(ids, logits, logits.float().logsumexp(-1))
        proposed = self.propose(hidden)
        ids = proposed.topk(min(top, proposed.shape[-1])).indices.sort().values
        if self.propose is self.llm.lm_head:
            logits = proposed.gather(1, ids)
        else:
            weight = self.llm.lm_head.weight
            rows = [F.linear(state, weight[chosen]) for state, chosen in zip(hidden, ids, strict=True)]
            logits = torch.stack(rows)
            proposed = proposed.scatter(1, ids, logits)
        return TopLogits(ids, logits, proposed.float().logsumexp(-1))

    def _norm(self, hidden: Tensor, weight: Tensor) -> Tensor:
        """As LlamaRMSNorm rounds: to the working precision before the weight, not after."""
        normed = F.rms_norm(hidden.float(), (self.width,), eps=self.epsilon)
        return weight * normed.to(hidden.dtype)


def _read(layer: LlamaDecoderLayer) -> _Layer:
    attention, feedforward = layer.self_attn, layer.mlp
    return _Layer(
        layer.input_layernorm.weight,
        side_by_side(attention.q_proj, attention.k_proj, attention.v_proj),
        side_by_side(attention.o_proj),
        layer.post_attention_layernorm.weight,
        side_by_side(feedforward.gate_proj, feedforward.up_proj),
        side_by_side(feedforward.down_proj),
    )


def _proposal(llm: LlamaForCausalLM) -> Linear | None:
    """The output layer in 4 bits, if the others are: read for every token, it is much of a small LLM."""
    head, last = llm.lm_head, llm.model.layers[-1].mlp.down_proj
    if head.out_features % PACKED_ROWS or not is_packed(last):
        return None
    copy = nn.Linear(head.in_features, head.out_features, bias=False, device="meta")
    copy.weight = head.weight
    return side_by_side(quantized(copy, "nf4", head.weight.device))
