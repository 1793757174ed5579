"""Losses on preferences, as they were published."""

from torch import Tensor
from torch.nn import functional as F


def dpo_loss(
    chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float
) -> Tensor:
    """-log sigmoid(beta ((log p(w) - log r(w)) - (log p(l) - log r(l)))) of each pair [B].

    Rafailov et al., "Direct Preference Optimization" (2023), equation 7; arguments are log-probabilities [B]
    of whole answers under the policy and the reference.
    """
    return -F.logsigmoid(beta * ((chosen - ref_chosen) - (rejected - ref_rejected)))


def kto_loss(logps: Tensor, ref: Tensor, desirable: Tensor, kl: Tensor, beta: float) -> Tensor:
    """1 - sigmoid(beta (log p(y) - log r(y) - kl)) of what is wanted, the other way round of what is not [B].

    Ethayarajh et al., "KTO" (2024), equation 8, with both weights 1; arguments as for `dpo_loss`, and `kl`
    from `kto_kl`.
    """
    gain = logps - ref - kl
    return 1 - F.sigmoid(beta * gain.where(desirable, -gain))


def kto_kl(logps: Tensor, ref: Tensor) -> Tensor:
    """KTO's estimate of how far the policy is from the reference, of answers to other questions [B]; a scalar
    without gradients, at least 0."""
    return (logps - ref).mean().clamp_min(0).detach()
