"""The specialists' words on the token axis.

A word's pieces lie at the tokens of the time in which it is said or heard. A token may hold several: the
language model then reads several vectors for it, in order. Each piece belongs to the expert whose
specialist says it, and is as loud as the router and a learned gate let it be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from usam.config import USAMConfig
from usam.schema.words import Word

# Nats for an expert with words: more than the router can have against it, or what is behind speech is said
# so softly that it is not read.
PRESENCE = 30.0
REPEAT_TOKENS = 25  # (2 s) in which a word of the own projection is not read again


@dataclass(frozen=True)
class PlacedWord:
    """A word of an expert at a token."""

    token: int
    expert: int
    word: Word


@dataclass(frozen=True)
class WordGrid:
    """What the language model reads of a batch, vector by vector, in order of the tokens.

    owner [B, N]: the token of each vector. ids [B, N]: its piece of the LLM's vocabulary, -1 for a token's
    own projection. expert [B, N], confidence [B, N]: whose it is and how sure. mask [B, N]. spoken [B, L]:
    tokens while a transcript is being said, in which nothing but its words is read.
    """

    owner: Tensor
    ids: Tensor
    expert: Tensor
    confidence: Tensor
    mask: Tensor
    spoken: Tensor

    def to(self, device: torch.device) -> WordGrid:
        return WordGrid(**{name: part.to(device) for name, part in vars(self).items()})

    def token_confidence(self, experts: int) -> Tensor:
        """[B, L, E]: how sure the surest word of each expert is at each token, 0 where it has none."""
        found = self.confidence.new_zeros(*self.spoken.shape, experts)
        flat = found.flatten(1)
        index = self.owner * experts + self.expert.clamp_min(0)
        sure = torch.where(self.ids >= 0, self.confidence, 0.0) * self.mask
        return flat.scatter_reduce(1, index, sure, "amax").view_as(found)


def place(words: Sequence[Sequence[Word]], tokens: int, token_seconds: float) -> list[PlacedWord]:
    """Words of each expert -> where they lie on `tokens` tokens, in reading order.

    Names of sounds and music make way for what is said: they lie at the nearest token at which no word begins
    and none goes on, and where every token has a word, between two words.
    """
    placed: list[PlacedWord] = []
    inside: set[int] = set()  # tokens after which a spoken word goes on
    taken: set[int] = set()
    for expert, stream in enumerate(words):
        bracket = 0
        for word in stream:
            token = min(tokens - 1, max(0, int(word.start / token_seconds)))
            if expert == 0:
                inside |= set(range(token, _last_token(word, token, tokens, token_seconds)))
            else:
                opens = word.before.strip() not in ("", ",")
                bracket = _nearest_free(token, taken, inside, tokens) if opens else bracket
                token = bracket
            placed.append(PlacedWord(token, expert, word))
        taken |= {one.token for one in placed}
    return sorted(placed, key=lambda one: one.token)


def _nearest_free(token: int, taken: set[int], inside: set[int], tokens: int) -> int:
    outside = [candidate for candidate in range(tokens) if candidate not in inside]  # the last one always is
    free = [candidate for candidate in outside if candidate not in taken] or outside
    return min(free, key=lambda candidate: (abs(candidate - token), candidate < token))


def _last_token(word: Word, token: int, tokens: int, token_seconds: float) -> int:
    """The last token of a word that begins at `token`."""
    return max(token, min(tokens - 1, int((word.end - 1e-6) / token_seconds)))


def grid(
    placed: Sequence[PlacedWord], tokens: int, token_seconds: float, pieces: Callable[[str], Sequence[int]]
) -> WordGrid:
    """One clip's words as a grid, a batch of one. `pieces` are the LLM's token ids of a text.

    The pieces of a spoken word are spread over the tokens in which it is said.
    """
    rows: list[tuple[int, int, int, float]] = []
    spoken = torch.zeros(tokens, dtype=torch.bool)
    for one in placed:
        ids = pieces(one.word.read)
        last = _last_token(one.word, one.token, tokens, token_seconds)
        spread = last - one.token + 1 if one.expert == 0 else 1
        rows += [
            (one.token + index * spread // len(ids), one.expert, piece, one.word.confidence)
            for index, piece in enumerate(ids)
        ]
        if one.expert == 0:
            spoken[one.token : last + 1] = True
    with_words = {row[0] for row in rows}
    rows += [(token, -1, -1, 0.0) for token in range(tokens) if token not in with_words]
    rows.sort(key=lambda row: row[0])
    owner, expert, ids, confidence = zip(*rows, strict=True)
    return WordGrid(
        torch.tensor([owner]),
        torch.tensor([ids]),
        torch.tensor([expert]),
        torch.tensor([confidence], dtype=torch.float32),
        torch.ones(1, len(rows), dtype=torch.bool),
        spoken[None],
    )


def batch(grids: Sequence[WordGrid]) -> WordGrid:
    """Grids of one clip each as one batch, padded."""

    def padded(name: str, value: float | bool) -> Tensor:
        return pad_sequence([getattr(one, name)[0] for one in grids], batch_first=True, padding_value=value)

    return WordGrid(
        padded("owner", 0),
        padded("ids", -1),
        padded("expert", -1),
        padded("confidence", 0.0),
        padded("mask", False),
        padded("spoken", False),
    )


class WordMixer(nn.Module):
    """How loud the specialists' words are beside what the experts project themselves.

    vector = (1 - c) own + c word, c = routing_e * gate_e: where several experts have words the router decides
    whose are read, and a learned gate for each token and expert how loud they are.
    """

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.hidden_size, config.num_experts)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, 4.0)
        self.presence = nn.Parameter(torch.full((config.num_experts,), PRESENCE))
        self.sureness = nn.Parameter(torch.full((config.num_experts,), 4.0))

    def push(self, words: WordGrid) -> Tensor:
        """[B, L, E]: what speaks for routing a token to the experts that have words there, the surer the
        more."""
        sure = words.token_confidence(len(self.presence))
        return (sure > 0) * self.presence + sure * self.sureness

    def share(self, tokens: Tensor, routing: Tensor, words: WordGrid) -> Tensor:
        """tokens [B, L, H], routing [B, L, E] -> how much of each vector is its word [B, N, 1]; 0 without."""
        loud = routing * self.gate(tokens).float().sigmoid()
        loud = loud.gather(1, words.owner.unsqueeze(-1).expand(-1, -1, loud.shape[-1]))
        return loud.gather(2, words.expert.clamp_min(0).unsqueeze(-1)) * (words.ids >= 0).unsqueeze(-1)

    def forward(self, own: Tensor, read: Tensor, share: Tensor, words: WordGrid) -> Tensor:
        """own [B, L, D] of the tokens, read [B, N, D] of the words, share [B, N, 1] -> vectors [B, N, D]."""
        mine = own.gather(1, words.owner.unsqueeze(-1).expand(-1, -1, own.shape[-1]))
        return torch.lerp(mine.float(), read.float(), share).to(own.dtype)


def repeated(logits: Tensor, mask: Tensor) -> Tensor:
    """Which tokens' own projections say nothing new: no word, or one read within REPEAT_TOKENS before.

    logits [B, L, V + 1] of the word anchor, the blank last; mask [B, L] -> [B, L].
    """
    best = logits.argmax(-1)
    blank = logits.shape[-1] - 1
    found = (best == blank) | ~mask
    rows = []
    for pieces, silent in zip(best.tolist(), found.tolist(), strict=True):
        last: dict[int, int] = {}
        row = []
        for index, (word, empty) in enumerate(zip(pieces, silent, strict=True)):
            old = empty or index - last.get(word, -REPEAT_TOKENS) < REPEAT_TOKENS
            if not old:
                last[word] = index
            row.append(old)
        rows.append(row)
    return torch.tensor(rows, device=logits.device)
