"""Audio tokens: a clip in the language model's space."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from usam.adapter.words import PlacedWord


@dataclass(frozen=True)
class AudioTokens:
    """A batch of clips in the LLM's space.

    tokens [B, N, D] are the vectors that the LLM reads, in order; mask [B, N], true for real ones; owner
    [B, N], the audio token of each: one that holds several pieces of words has several vectors. Without
    words there is one vector a token, N = L. routing [B, L, E]; logits [B, L, V + 1] over the word anchor's
    vocabulary and the blank, or None without an anchor. informative [B, N], with words: vectors that say
    something, a word of a specialist or one of the token's own that is new; word_share [B, N, 1], how much of
    each is a specialist's word. placed: of a batch of one, its words and their tokens. inputs [B, N, D']:
    what an LLM reads whose space is not the adapter's; without it that is `tokens`.
    """

    tokens: Tensor
    mask: Tensor
    routing: Tensor
    logits: Tensor | None
    owner: Tensor = field(default=None)  # type: ignore[assignment]
    informative: Tensor | None = None
    word_share: Tensor | None = None
    inputs: Tensor | None = None
    placed: tuple[PlacedWord, ...] = ()

    def __post_init__(self) -> None:
        if self.owner is None:
            each = torch.arange(self.mask.shape[1], device=self.mask.device).expand(self.mask.shape)
            object.__setattr__(self, "owner", each)

    @property
    def length(self) -> int:
        """Audio tokens of the longest clip, L."""
        return self.routing.shape[1]

    @property
    def token_mask(self) -> Tensor:
        """[B, L], true for tokens of which a vector is real."""
        return self.by_token(self.mask.float()).bool()

    def by_token(self, values: Tensor) -> Tensor:
        """Values [B, N] of the vectors, not negative, -> the largest of each token's real ones [B, L], else
        0."""
        found = values.new_zeros(len(values), self.length)
        return found.scatter_reduce(1, self.owner, values.masked_fill(~self.mask, 0.0), "amax")

    def keep(self, chosen: Tensor | Sequence[Sequence[bool]]) -> "AudioTokens":
        """The same batch with only the chosen [B, L] tokens left real."""
        kept = torch.as_tensor(chosen, device=self.mask.device).gather(1, self.owner)
        return replace(self, mask=self.mask & kept)


def joined(parts: Sequence[AudioTokens]) -> AudioTokens:
    """Batches of one, one after another as one clip, without the vectors that are not real."""

    def real(name: str) -> Tensor:
        return torch.cat([getattr(part, name)[part.mask] for part in parts])[None]

    offsets = [sum(part.length for part in parts[:index]) for index in range(len(parts))]
    tokens = real("tokens")
    return AudioTokens(
        tokens=tokens,
        mask=torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device),
        routing=torch.cat([part.routing for part in parts], 1),
        logits=None,
        owner=torch.cat(
            [part.owner[part.mask] + offset for part, offset in zip(parts, offsets, strict=True)]
        )[None],
        inputs=None if parts[0].inputs is None else real("inputs"),
    )
