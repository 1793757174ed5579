"""The figures as a Markdown table and as one plot, written beside the checkpoint."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from usam.trace import Supervision
from usam.training.evaluation.figures import Figure

LOWER_IS_BETTER = "transcription"
SUPERVISIONS = get_args(Supervision)
MARKERS = "osD^vP*X<>"


def write(result: Mapping[str, Any], folder: Path) -> None:
    """evaluation.json, evaluation.md, evaluation.png and routing.json into a checkpoint folder."""
    (folder / "evaluation.json").write_text(
        json.dumps(result, ensure_ascii=False, indent=2), encoding="utf-8"
    )
    (folder / "routing.json").write_text(json.dumps(result["router"], indent=2), encoding="utf-8")
    (folder / "evaluation.md").write_text(table(result) + "\n", encoding="utf-8")
    plot(result, folder / "evaluation.png")


def table(result: Mapping[str, Any]) -> str:
    """One row a figure, with the baselines and the ablations that have it; values with 95 % intervals."""
    baselines, ablations = result.get("baselines", {}), result.get("ablations", {})
    head = ["figure", "U-SAM mini", "answers"]
    head += ["baselines"] if baselines else []
    head += ["ablations"] if ablations else []
    rows = [head, ["---"] * len(head)]
    for name, figure in result["scores"].items():
        row = [
            name + (" (WER)" if name.startswith(LOWER_IS_BETTER) else ""),
            cell(figure),
            str(figure["clips"]),
        ]
        for systems in (baselines, ablations):
            if systems:
                row.append("; ".join(f"{k} {cell(v[name])}" for k, v in systems.items() if name in v))
        rows.append(row)
        if "cer" in figure:
            rows.append([f"{name} (CER)", f"{figure['cer']:.3f}", *[""] * (len(head) - 2)])
    for name, value in extra(result).items():
        rows.append([name, value, *[""] * (len(head) - 2)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


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
        if "ratio" in found:
            rows[f"answer's loss without them (nats per token), {by}"] = cell(found["redundant"])
            rows[f"without as many random ones, {by}"] = cell(found["random"])
            rows[f"ratio of the two, {by}"] = cell(found["ratio"])
    return rows


def cell(figure: Figure) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.3f} ({low:.3f}–{high:.3f})"


def plot(result: Mapping[str, Any], file: Path) -> None:
    """Shares of right answers on the left, word error rates on the right, the baselines as marks."""
    from matplotlib.figure import Figure as Canvas  # half a second that only a written evaluation needs

    scores = result["scores"]
    wrong = [name for name in scores if name.startswith(LOWER_IS_BETTER)]
    right = [name for name in scores if name not in wrong]
    canvas = Canvas(figsize=(12, 0.32 * max(len(right), len(wrong)) + 2.2), layout="constrained")
    axes = canvas.subplots(1, 2)
    # The order of all baselines, so that one mark means the same on both sides.
    marks = dict(zip(result.get("baselines", {}), MARKERS, strict=False))
    for panel, names, title in zip(
        axes,
        (right, wrong),
        ("right answers (more is better)", "word error rate (less is better)"),
        strict=True,
    ):
        places = range(len(names))
        values = [scores[name]["value"] for name in names]
        ends = [scores[name]["interval"] for name in names]
        spread = [
            [max(0.0, value - low) for value, (low, _) in zip(values, ends, strict=True)],
            [max(0.0, high - value) for value, (_, high) in zip(values, ends, strict=True)],
        ]
        panel.barh(
            places, values, xerr=spread, color="#9ecae1", ecolor="#08519c", capsize=2, label="U-SAM mini"
        )
        for order, (system, mark) in enumerate(marks.items()):
            figures = result["baselines"][system]
            known = [
                (place, figures[name]["value"])
                for place, name in zip(places, names, strict=True)
                if name in figures
            ]
            if known:
                panel.scatter(
                    [min(value, 1.0) for _, value in known],
                    [place for place, _ in known],
                    marker=mark,
                    s=28,
                    color=f"C{order + 1}",
                    label=system,
                    zorder=3,
                )
        panel.set_yticks(places, names)
        panel.invert_yaxis()
        panel.set_xlim(0, 1)
        panel.set_title(title)
        panel.grid(axis="x", alpha=0.3)
    handles = dict(
        (label, handle)
        for panel in axes
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    )
    canvas.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5, frameon=False)
    canvas.savefig(file, dpi=90)
