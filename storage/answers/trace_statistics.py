"""The few numbers of a trace that ratings are compared with: how the router decided, what was redundant."""

import math
from collections.abc import Mapping
from typing import Any


def trace_statistics(trace: Mapping[str, Any]) -> dict[str, Any]:
    """Column values of `schema.TraceStatistics` for an answer's trace; None where it has no tokens.

    router_entropy: of the routing weights, mean over the tokens, 0 (one expert) to 1 (all equal).
    dominant_expert: name of the one with the largest mean weight.  redundant_share: of the tokens, 0 to 1.
    """
    unknown = {"router_entropy": None, "dominant_expert": None, "redundant_share": None}
    try:
        tokens, experts = trace["tokens"], trace["experts"]
        routing = [[float(weight) for weight in token["routing"]] for token in tokens]
        load = [math.fsum(weights) for weights in zip(*routing, strict=True)]
        entropies = [_entropy(weights) for weights in routing]
        return {
            "router_entropy": math.fsum(entropies) / len(tokens),
            "dominant_expert": str(experts[load.index(max(load))])[:64],
            "redundant_share": sum(bool(token["redundant"]) for token in tokens) / len(tokens),
        }
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return unknown  # an older or foreign trace is no reason to lose the answer


def _entropy(weights: list[float]) -> float:
    """0 to 1: in bits over the most that so many experts can have."""
    bits = -math.fsum(weight * math.log2(weight) for weight in weights if weight > 0)
    return min(max(bits / math.log2(len(weights)), 0.0), 1.0) if len(weights) > 1 else 0.0
