"""Colours that the viewer and the figures share."""

from dataclasses import dataclass

# Okabe and Ito, "Color Universal Design", 2008: distinguishable with every kind of colour vision. Black and
# yellow are left out: each would vanish on one of the backgrounds.
EXPERT_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")


@dataclass(frozen=True)
class Palette:
    """Colours of one theme. alarm: the threshold, and random controls.  mark: what a person marked.
    veil: lies over redundant tokens.  sound: from silence to the loudest."""

    paper: str
    ink: str
    quiet: str
    line: str
    veil: str
    hatch: str
    accent: str
    alarm: str
    mark: str
    sound: tuple[str, ...]


LIGHT = Palette(
    paper="#ffffff",
    ink="#1b2327",
    quiet="#54524c",
    line="#ccc8be",
    veil="#ffffff80",
    hatch="#1b232788",
    accent="#176a6a",
    alarm="#b84e00",
    mark="#7a2d8c",
    sound=("#f4f6f5", "#9cc9c8", "#2a8381", "#0c3337"),
)
DARK = Palette(
    paper="#14191d",
    ink="#e6e4df",
    quiet="#bdbab2",
    line="#3a4249",
    veil="#14191d80",
    hatch="#f3f1ec88",
    accent="#7dbdb9",
    alarm="#f0883e",
    mark="#dba6ea",
    sound=("#0e1215", "#145556", "#4c9f9c", "#f4efdc"),
)
