"""The Semantic-Aware Contrastive Loss Module: which audio tokens matter to a text (paper section 2.4).

Unlike the authors' code, min-max scaling is per clip, so that a clip's scores do not depend on its
neighbours in the batch, and negatives are the other clips of the batch, never the positive itself.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from usam.config import USAMConfig


@dataclass(frozen=True)
class Significance:
    """Scores in [0, 1], each [B, L]; `predictive_logits` is what the predictive score is the sigmoid of."""

    total: Tensor
    predictive: Tensor
    text_relevance: Tensor
    audio_saliency: Tensor
    predictive_logits: Tensor


class SACLM(nn.Module):
    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        self.beta, self.threshold, self.margin = config.beta, config.threshold, config.margin
        self.predictor = nn.Sequential(
            nn.Linear(config.llm_dim, config.llm_dim // 4), nn.GELU(), nn.Linear(config.llm_dim // 4, 1)
        )
        self.slots = nn.Linear(config.llm_dim, config.num_slots)

    def significance(
        self, audio: Tensor, audio_mask: Tensor, text: Tensor, text_mask: Tensor
    ) -> Significance:
        """s_i = (1 - beta) p_i + beta (r_i + g_i) / 2 for audio [B, L, D] under text [B, M, D].

        p is learned; r is the min-max scaled cosine to the mean text embedding, g to the mean audio token.
        """
        audio, text = audio.float(), text.float()
        logits = self.predictor(audio).squeeze(-1)
        predictive = logits.sigmoid()
        relevance = minmax(cosine(audio, masked_mean(text, text_mask)), audio_mask)
        saliency = minmax(cosine(audio, masked_mean(audio, audio_mask)), audio_mask)
        total = (1 - self.beta) * predictive + self.beta * (relevance + saliency) / 2
        return Significance(total, predictive, relevance, saliency, logits)

    def calibrate(self, audio: Tensor, audio_mask: Tensor, kept: Tensor) -> Tensor:
        """Softly aggregate the kept tokens of audio [B, L, D] into slots [B, K, D]; masks are bool [B, L].

        A clip whose tokens are all redundant is aggregated whole rather than into nothing, padding left out.
        """
        audio, kept = audio.float(), kept & audio_mask
        kept = torch.where(kept.any(-1, keepdim=True), kept, audio_mask)
        scores = self.slots(audio).masked_fill(~kept.unsqueeze(-1), float("-inf"))
        return scores.softmax(dim=1).transpose(1, 2) @ audio

    def loss(self, audio: Tensor, audio_mask: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        """Triplet loss over the batch in both directions, plus (mean significance - 0.5)^2. Scalar."""
        scores = self.significance(audio, audio_mask, text, text_mask)
        rate = (masked_mean(scores.total.unsqueeze(-1), audio_mask).squeeze(-1) - 0.5).square().mean()
        kept = scores.total > self.threshold
        # A gate around one lets the triplet loss reach the significance through the hard choice.
        gated = audio.float() * (1 + scores.total - scores.total.detach()).unsqueeze(-1)
        similarity = alignment(self.calibrate(gated, audio_mask, kept), text.float(), text_mask)
        return triplet(similarity, self.margin) + rate


def minmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Scale each clip's real scores [B, L] to [0, 1]; a clip whose scores are all equal gets 0.5."""
    low = scores.masked_fill(~mask, float("inf")).amin(-1, keepdim=True)
    high = scores.masked_fill(~mask, float("-inf")).amax(-1, keepdim=True)
    spread = high - low
    scaled = (scores - low) / spread.clamp_min(1e-6)
    return torch.where(spread > 1e-6, scaled, torch.full_like(scaled, 0.5)).masked_fill(~mask, 0.0)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values [B, L, D] where mask [B, L] -> [B, D]."""
    weights = mask.unsqueeze(-1).to(values.dtype)
    return (values * weights).sum(1) / weights.sum(1).clamp_min(1)


def cosine(tokens: Tensor, centre: Tensor) -> Tensor:
    """Cosine of every token [B, L, D] with its clip's centre [B, D] -> [B, L]."""
    return F.cosine_similarity(tokens, centre.unsqueeze(1), dim=-1)


def alignment(audio: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
    """S(a, t) between every clip's slots [B, K, D] and every text [B, M, D] -> [B, B].

    The mean over slots of the best word and the mean over words of the best slot, averaged.
    """
    pairs = torch.einsum("akd,tmd->atkm", F.normalize(audio, dim=-1), F.normalize(text, dim=-1))
    real = text_mask[None, :, None, :]
    best_word = pairs.masked_fill(~real, float("-inf")).amax(-1).mean(-1)
    best_slot = pairs.amax(-2)
    words = text_mask.sum(-1).clamp_min(1)
    return (best_word + (best_slot * text_mask[None]).sum(-1) / words[None]) / 2


def triplet(similarity: Tensor, margin: float) -> Tensor:
    """Hinge on every off-diagonal negative of similarity [B, B], audio to text and text to audio."""
    size = similarity.shape[0]
    if size < 2:
        return similarity.new_zeros(())
    positive = similarity.diagonal()
    negatives = ~torch.eye(size, dtype=torch.bool, device=similarity.device)
    to_text = F.relu(margin + similarity - positive[:, None])[negatives]
    to_audio = F.relu(margin + similarity - positive[None, :])[negatives]
    return (to_text.mean() + to_audio.mean()) / 2
