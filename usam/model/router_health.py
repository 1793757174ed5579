"""Whether the router is alive: distinct experts, load, entropy, collapse."""

from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from usam.adapter.projector import TaskAwareProjector
from usam.adapter.saclm import masked_mean
from usam.checkpoints.layout import measured_routing
from usam.model.model import USAM
from usam.schema.tasks import TASKS

PROBES = 256  # random tokens
SEED = 0
COLLAPSED = 0.95  # share of the load of one expert from which the others hardly matter
DEAD = 0.01  # share of the load below which an expert is dead
SAME = 1e-3  # relative distance below which two experts say the same


@torch.inference_mode()
def router_health(model: USAM, checkpoint: Path | None = None) -> dict[str, Any]:
    """The router's health over fixed random tokens under every task's prompt, as a JSON object.

    Random tokens have unit variance, as the Q-Former's have. `load` is the mean routing weight of each
    expert, `entropy_bits` the mean entropy of a token's routing (at most log2 of the number of experts),
    `expert_distance` the smallest distance between two experts' outputs relative to their size. `measured`
    is what the evaluation found on real clips, if the checkpoint folder has it.
    """
    config, projector = model.adapter.config, model.adapter.projector
    generator = torch.Generator().manual_seed(SEED)
    tokens = torch.randn(PROBES, config.hidden_size, generator=generator).to(model.device)
    questions = [torch.tensor(model.prompts.ids(task.prompt)) for task in TASKS.values()]
    prompts = masked_mean(*model.embed_text(questions))
    routing = projector.route(tokens.expand(len(prompts), -1, -1), prompts)
    load = routing.mean((0, 1))
    distance = expert_distance(projector, tokens)
    distinct = shares_nothing(projector) and distance > SAME
    return {
        "experts": list(config.expert_names),
        "distinct": distinct,
        "expert_distance": round(distance, 4),
        "load": rounded(load),
        "load_by_task": dict(zip(TASKS, map(rounded, routing.mean(1)), strict=True)),
        "max_load": round(float(load.max()), 4),
        "entropy_bits": round(float(entropy_bits(routing).mean()), 4),
        "load_entropy_bits": round(float(entropy_bits(load)), 4),
        "dead": [config.expert_names[index] for index in (load < DEAD).nonzero().flatten().tolist()],
        "collapsed": not distinct or float(load.max()) > COLLAPSED,
        "measured": measured_routing(checkpoint),
    }


def shares_nothing(projector: TaskAwareProjector) -> bool:
    """Whether no two experts share a parameter."""
    parameters = [parameter.data_ptr() for expert in projector.experts for parameter in expert.parameters()]
    return len(parameters) == len(set(parameters))


def expert_distance(projector: TaskAwareProjector, tokens: Tensor) -> float:
    """The smallest relative distance between two experts' outputs for tokens [N, H]."""
    outputs = [expert(tokens) for expert in projector.experts]
    pairs = [
        2 * (one - other).norm(dim=-1).mean() / (one.norm(dim=-1) + other.norm(dim=-1)).mean()
        for one, other in combinations(outputs, 2)
    ]
    return min((float(distance) for distance in pairs), default=float("inf"))


def entropy_bits(weights: Tensor) -> Tensor:
    """Entropy of distributions [..., E] in bits -> [...]."""
    return torch.special.entr(weights).sum(-1) / torch.log(torch.tensor(2.0))


def rounded(weights: Tensor) -> list[float]:
    return [round(weight, 4) for weight in weights.tolist()]
