"""The browser's side of the viewer as text.

The scripts are modules, so that a linter, a type checker and unit tests can follow their imports. What is
sent is one script: Gradio runs a component's script as the body of a function, and the offline page lets only
that script run whose hash its policy names, so neither can import. Joining them needs no build step: they are
put one after another, each after those it imports, without `import` lines and `export` keywords.
"""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
STYLES = ("viewer", "panels/marks", "panels/verdicts")
_IMPORT = re.compile(r"""^import (?:[^;]* from )?"([^"]+)";\n""", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |class |const |function )", re.MULTILINE)


@cache
def asset(name: str) -> str:
    """The text of one file of the viewer."""
    return (FOLDER / name).read_text(encoding="utf-8")


def style() -> str:
    """The viewer's style sheet, to be nested in the element that holds the viewer."""
    return "\n".join(asset(f"{name}.css") for name in STYLES)


@cache
def script(main: Path) -> str:
    """The script of a page with all that it imports: the app's `gradio.js`, or a report's."""
    joined: dict[Path, str] = {}

    def join(file: Path, importers: tuple[Path, ...]) -> None:
        if file in importers:
            raise ValueError(f"{file.name} imports itself, by way of {importers[-1].name}")
        if file in joined:
            return
        text = file.read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            join((file.parent / name).resolve(), (*importers, file))
        joined[file] = _EXPORT.sub("", _IMPORT.sub("", text))

    join(main.resolve(), ())
    return "\n".join(joined.values())
