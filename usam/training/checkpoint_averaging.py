"""The average of two adapters of which one went on from the other.

    python -m usam.training.checkpoint_averaging ONE OTHER --out FOLDER

Between a checkpoint and what more training on other shares made of it lies one that forgot less of the
former and learned much of the latter (weight averaging; Wortsman et al., 2022).
"""

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor


def average(one: Path, other: Path, out: Path) -> None:
    """Write the mean of both folders' weights to `out`, all else as in `other`.

    The word anchor's vocabulary, which only ever grows, is that of `other` too. Raises KeyError for a tensor
    that one of them lacks.
    """
    shutil.copytree(other, out)
    for file in out.rglob("*.safetensors"):
        before, after = load_file(one / file.relative_to(out)), load_file(file)
        means = {name: mean(before[name], tensor) for name, tensor in after.items()}
        save_file(means, file, metadata={"format": "pt"})


def mean(before: Tensor, after: Tensor) -> Tensor:
    """Half of each in the precision of `after`; `after` alone of what is counted or listed."""
    if not after.is_floating_point():
        return after
    return torch.lerp(before.float(), after.float(), 0.5).to(after.dtype)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path, help="the one that went on from the first")
    parser.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    options = parser.parse_args()
    average(options.one, options.other, options.out)


if __name__ == "__main__":
    main()
