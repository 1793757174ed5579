"""The losses of stage 1: CTC, words of single tokens, routing, SACLM, and which tokens carry no word."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from usam.adapter.saclm import masked_mean
from usam.adapter.tokens import AudioTokens
from usam.errors import UsamError
from usam.model.model import USAM
from usam.schema.segments import KINDS
from usam.training.stages.batches import AlignmentBatch, AlignmentItem

ROUTING_WEIGHT = 0.1
WORDS_WEIGHT = 0.5
SACLM_WEIGHT = 0.1
BLANK_WEIGHT = 0.1


class AlignmentError(UsamError):
    """A clip whose audio tokens cannot be aligned with its transcript."""


def word_losses(audio: AudioTokens, log_probs: Tensor, batch: AlignmentBatch) -> dict[str, Tensor]:
    """CTC of the clips that speak, cross-entropy of every token's words of those that do not."""
    speech = torch.tensor([item.sequence for item in batch.items], device=audio.mask.device)
    parts: dict[str, Tensor] = {}
    if speech.any():
        spoken = [item.classes for item in batch.items if item.classes is not None]
        parts["ctc"] = ctc_loss(log_probs[speech], audio.mask[speech], spoken)
    if batch.words is not None:
        parts["words"] = WORDS_WEIGHT * token_word_loss(log_probs[~speech], audio.mask[~speech], batch.words)
    return parts


def ctc_loss(log_probs: Tensor, mask: Tensor, targets: Sequence[Tensor]) -> Tensor:
    """CTC of log_probs [B, L, V + 1] on class sequences, averaged per target piece; the last class is blank.

    Raises AlignmentError for a clip with too few real tokens [B, L] to say all of its pieces: its loss would
    be infinite, and it would teach nothing.
    """
    tokens = mask.sum(-1)
    needed = torch.tensor([tokens_needed(target) for target in targets])
    if (needed > tokens.cpu()).any():
        clip = int((needed - tokens.cpu()).argmax())
        raise AlignmentError(
            f"A clip has {int(tokens[clip])} audio tokens, and its transcript needs {int(needed[clip])}."
        )
    lengths = torch.tensor([len(target) for target in targets])
    losses = F.ctc_loss(
        log_probs.transpose(0, 1),
        torch.cat(list(targets)),
        tokens,
        lengths,
        blank=log_probs.shape[-1] - 1,
        reduction="none",
    )
    return losses.sum() / lengths.sum().clamp_min(1)


def tokens_needed(classes: Tensor) -> int:
    """The fewest tokens CTC can say classes [N] with: one each, and a blank between two that are the same."""
    return len(classes) + int((classes[1:] == classes[:-1]).sum())


def token_word_loss(log_probs: Tensor, mask: Tensor, words: Tensor) -> Tensor:
    """Cross-entropy of every token's log_probs [B, L, V + 1] against its words, a mean over real tokens."""
    return masked_mean(-(words * log_probs).sum(-1, keepdim=True), mask).mean()


def routing_loss(audio: AudioTokens, kinds: Sequence[str]) -> Tensor:
    """The router's light tie: a clip's mean routing against the expert of its kind."""
    index = torch.tensor([KINDS.index(kind) for kind in kinds], device=audio.routing.device)
    index = index % audio.routing.shape[-1]
    return F.nll_loss(masked_mean(audio.routing, audio.mask).clamp_min(1e-6).log(), index)


def target_text(model: USAM, item: AlignmentItem) -> Tensor:
    """Token ids of what the clip says or is, the text that supervises SACLM."""
    if item.classes is not None:
        return model.adapter.anchor.token_ids[item.classes]  # type: ignore[union-attr]
    return torch.tensor(model.prompts.ids(" " + " ".join(item.label or ("nothing",))))


def saclm_loss(model: USAM, audio: AudioTokens, texts: Sequence[Tensor]) -> Tensor:
    """SACLM's contrastive loss of the audio tokens with the texts' token ids, one text a clip."""
    return model.adapter.saclm.loss(audio.tokens, audio.mask, *model.embed_text(texts))


def blank_loss(model: USAM, audio: AudioTokens, log_probs: Tensor, texts: Sequence[Tensor]) -> Tensor:
    """The predictive score learns from the blank posterior which tokens carry no word: a mean over tokens."""
    scores = model.significance(audio, texts)
    spoken = 1 - log_probs[..., -1].exp().detach()
    return F.binary_cross_entropy_with_logits(scores.predictive_logits[audio.mask], spoken[audio.mask])
