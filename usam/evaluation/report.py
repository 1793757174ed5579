"""The figures as a Markdown table and as one plot, written beside the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from usam.checkpoints.layout import ROUTING
from usam.evaluation.metrics import Figure
from usam.schema.trace import Supervision

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOWER_IS_BETTER = "transcription"
SUPERVISIONS = get_args(Supervision)
MARKERS = "osD^vP*X<>"


def write(result: Mapping[str, Any], folder: Path) -> None:
    """evaluation.json, evaluation.md, evaluation.png and routing.json into a checkpoint folder."""
    (folder / "evaluation.json").write_text(
        json.dumps(result, ensure_ascii=False, indent=2), encoding="utf-8"
    )
    (folder / ROUTING).write_text(json.dumps(result["router"], indent=2), encoding="utf-8")
    (folder / "evaluation.md").write_text(table(result) + "\n", encoding="utf-8")
    plot(result, folder / "evaluation.png")


def table(result: Mapping[str, Any]) -> str:
    """One row a figure: value, 95 % interval, number of answers; then baselines and ablations that have it.

    The intervals of ablations are left to the JSON.
    """
    baselines, ablations = result.get("baselines", {}), result.get("ablations", {})
    head = ["figure", system(result), "answers"] + ["baselines"] * bool(baselines)
    head += ["ablations"] * bool(ablations)
    rows = [head, ["---"] * len(head)]
    for name, figure in result["scores"].items():
        row = [name, cell(figure), str(figure["clips"])]
        if "cer" in figure:
            row[:2] = [f"{name} (WER)", f"{cell(figure)}, CER {figure['cer']:.3f}"]
        if baselines:
            row.append("; ".join(f"{other} {cell(v[name])}" for other, v in baselines.items() if name in v))
        if ablations:
            row.append(
                "; ".join(f"{other} {v[name]['value']:.3f}" for other, v in ablations.items() if name in v)
            )
        rows.append(row)
    rows += [[name, value, *[""] * (len(head) - 2)] for name, value in extra(result).items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def system(result: Mapping[str, Any]) -> str:
    return f"U-SAM {result['model']['preset']}"


def extra(result: Mapping[str, Any]) -> dict[str, str]:
    """What has no baseline: the router and the deletion test."""
    router = result["router"]
    rows = {
        "router: mutual information with kind (bits)": f"{router['mutual_information_bits']:.3f}",
        "router: entropy of the load (bits)": f"{router['load_entropy_bits']:.3f}",
        "router: tokens led by each expert": ", ".join(map(str, router["tokens_led"])),
    }
    test = result.get("deletion", {})
    for supervision in SUPERVISIONS if test else ():
        found, by = test[supervision], f"supervised by {supervision}"
        rows[f"tokens held redundant, {by}"] = f"{found['redundant_share']:.3f}"
        if "by_place" in found:
            rows[f"at each place of a window, {by}"] = ", ".join(
                f"{share:.3f}" for share in found["by_place"]
            )
        if "ratio" in found:
            rows[f"answer's loss without them (nats per token), {by}"] = cell(found["redundant"])
            if "matched_ratio" in found:  # not in evaluations of before
                rows[f"without as many, as loud, at the same places, {by}"] = cell(found["matched"])
                rows[f"ratio of the two, {by}"] = cell(found["matched_ratio"])
            rows[f"without as many random ones, {by}"] = cell(found["random"])
            rows[f"ratio to random ones, {by}"] = cell(found["ratio"])
    return rows


def cell(figure: Figure) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.3f} ({low:.3f}–{high:.3f})"


def plot(result: Mapping[str, Any], file: Path) -> None:
    """Shares of right answers on the left, error rates on the right, the baselines as marks."""
    from matplotlib.figure import Figure as Canvas  # half a second that only a written evaluation needs

    scores = result["scores"]
    wrong = [name for name in scores if name.startswith(LOWER_IS_BETTER)]
    right = [name for name in scores if name not in wrong]
    longest = max(len(right), len(wrong))
    canvas = Canvas(figsize=(12, 0.36 * longest + 1.8), layout="constrained")
    axes = canvas.subplots(1, 2)
    draw(axes[0], right, result, "right answers (more is better)")
    draw(axes[1], wrong, result, "error rate, of words or characters (less is better)")
    axes[1].set_xlabel("a mark at 1 stands for 1 or more")
    handles: dict[str, Any] = {}
    for panel in axes:
        panel.set_ylim(longest - 0.4, -0.6)  # the same height of a row on both sides
        found, labels = panel.get_legend_handles_labels()
        handles |= dict(zip(labels, found, strict=True))
    canvas.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5, frameon=False)
    canvas.savefig(file, dpi=90)


def draw(panel: Axes, names: Sequence[str], result: Mapping[str, Any], title: str) -> None:
    """Bars with intervals for the model, a mark for every baseline that has the figure."""
    baselines = result.get("baselines", {})
    values = np.array([result["scores"][name]["value"] for name in names])
    low, high = np.array([result["scores"][name]["interval"] for name in names]).reshape(-1, 2).T
    spread = np.maximum([values - low, high - values], 0)
    places = np.arange(len(names))
    panel.barh(
        places, values, xerr=spread, color="#9ecae1", ecolor="#08519c", capsize=2, label=system(result)
    )
    # Each baseline has its mark and its height within a row, so that equal values hide none.
    heights = np.linspace(-0.3, 0.3, len(baselines))
    for order, (other, mark, height) in enumerate(zip(baselines, MARKERS, heights, strict=False), 1):
        known = [
            (place, baselines[other][name]["value"])
            for place, name in enumerate(names)
            if name in baselines[other]
        ]
        if known:
            rows, reached = np.array(known).T
            panel.scatter(
                np.minimum(reached, 1),
                rows + height,
                marker=mark,
                s=22,
                color=f"C{order}",
                label=other,
                zorder=3,
            )
    panel.set_yticks(places, names)
    panel.set_xlim(0, 1.02)
    panel.set_title(title)
    panel.grid(axis="x", alpha=0.3)
