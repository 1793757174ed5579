"""How latency grows with the clip and with the answer, as one picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def plot(found: Mapping[str, Any], file: Path) -> None:
    """Draw the medians of a benchmark: first token by clip, decoding by answer, runtimes side by side."""
    canvas = Figure(figsize=(11, 3.2), layout="constrained")
    left, middle, right = canvas.subplots(1, 3)
    first = {float(length.split()[0]): s for length, s in found["app"]["first_token_s"].items()}
    line(left, first, "seconds of audio", "until the first token")
    line(
        middle, {float(length): s for length, s in found["decode_s"].items()}, "tokens", "to write an answer"
    )
    speeds = found["tokens_per_s"]
    names = [name for name in next(iter(speeds.values())) if all(name in of for of in speeds.values())]
    height = 0.8 / len(speeds)
    for row, (threads, measured) in enumerate(speeds.items()):
        places = [index + height * row for index in range(len(names))]
        right.barh(places, [measured[name] for name in names], height, label=threads)
    right.set_yticks([index + height / 2 for index in range(len(names))], names)
    right.invert_yaxis()
    right.set_xlabel("tokens a second")
    right.legend(frameon=False)
    canvas.suptitle(f"{found['machine']['processor']}, {found['machine']['cores']} cores", fontsize=9)
    canvas.savefig(file, dpi=110)


def line(axes: Axes, points: Mapping[float, float], across: str, title: str) -> None:
    axes.plot(list(points), list(points.values()), "o-")
    axes.set_xlabel(across)
    axes.set_ylabel("seconds")
    axes.set_title(title, fontsize=10)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
