"""The browser's side of the viewer as text. There is no build step: the scripts are joined as they are."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("viewer")
SCRIPTS = (
    "trace",
    "axis",
    "lanes",
    "colours",
    "hatch",
    "paint",
    "player",
    "sync",
    "panels",
    "experts",
    "viewer",
    "keys",
    "touch",
    "pointer",
    "marks",
    "verdicts",
)
STYLES = ("viewer", "marks", "verdicts")


@cache
def asset(name: str) -> str:
    """The text of one file of the viewer."""
    return (FOLDER / name).read_text(encoding="utf-8")


def style() -> str:
    """The viewer's style sheet, to be nested in the element that holds the viewer."""
    return "\n".join(asset(f"{name}.css") for name in STYLES)


def script(main: str) -> str:
    """The viewer's script, started by `main`: `gradio.js` in the app, `report.js` in the offline page."""
    return "\n".join(asset(f"{name}.js") for name in SCRIPTS) + "\n" + asset(main)
