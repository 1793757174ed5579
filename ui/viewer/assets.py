"""The browser's side of the viewer as text. There is no build step: the scripts are joined as they are."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
SCRIPTS = (
    "trace",
    "drawing/axis",
    "drawing/lanes",
    "drawing/colours",
    "drawing/hatch",
    "drawing/paint",
    "panels/player",
    "sync",
    "panels/panels",
    "drawing/experts",
    "viewer",
    "input/keys",
    "input/touch",
    "input/pointer",
    "panels/marks",
    "panels/verdicts",
)
STYLES = ("viewer", "panels/marks", "panels/verdicts")


@cache
def asset(name: str) -> str:
    """The text of one file of the viewer."""
    return (FOLDER / name).read_text(encoding="utf-8")


def style() -> str:
    """The viewer's style sheet, to be nested in the element that holds the viewer."""
    return "\n".join(asset(f"{name}.css") for name in STYLES)


def script(main: str) -> str:
    """The viewer's script, started by the text `main`: the app's `gradio.js` or a report's."""
    return "\n".join([*(asset(f"{name}.js") for name in SCRIPTS), main])
