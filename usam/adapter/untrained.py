"""An adapter that nobody has trained: of a configuration with words, one that reads the words alone.

The words of the encoders' own heads need no training to be read. Such an adapter projects nothing of its own:
every token is blank but for its words, the router goes where words are, and what has none is redundant.
"""

import torch
from torch import nn

from usam.adapter.adapter import USAMAdapter
from usam.config import USAMConfig

SURE = 30.0  # a logit that leaves no doubt
GAIN = 1e4  # makes any embedding loud, and leaves nothing nothing


def untrained_adapter(config: USAMConfig, seed: int = 0) -> USAMAdapter:
    """The same weights for the same configuration and seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        adapter = USAMAdapter(config).eval()
    if config.words:
        read_words_alone(adapter)
    return adapter


@torch.no_grad()
def read_words_alone(adapter: USAMAdapter) -> None:
    """Let only the encoders' words reach the language model, at full strength."""
    assert adapter.anchor is not None  # a config with words has one
    assert adapter.words is not None
    nn.init.zeros_(adapter.anchor.blank.weight)
    nn.init.constant_(adapter.anchor.blank.bias, GAIN)
    nn.init.zeros_(adapter.anchor.blank_word)
    nn.init.constant_(adapter.words.gate.bias, SURE)
    # Whether a vector is a word: the blank is zero, any embedding is not.
    first, _, last = adapter.saclm.predictor
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    first.weight.mul_(GAIN)
    nn.init.zeros_(first.bias)
    nn.init.ones_(last.weight)
    nn.init.constant_(last.bias, -SURE)
