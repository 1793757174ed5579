"""Handlers answer with updates: a layout or an HTML made meanwhile joins whatever page is being built."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from gradio.blocks import BlockContext

UI = Path(__file__).parents[2] / "ui"
JOINING = {
    f"gr.{name}" for name, kind in inspect.getmembers(gr, inspect.isclass) if issubclass(kind, BlockContext)
}


def made_in_answers(source: str) -> Iterator[str]:
    """What of Gradio is made as a value of a dictionary, which only handlers' answers are."""
    for answer in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Dict)):
        for call in (inner for value in answer.values for inner in ast.walk(value)):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in JOINING:
                yield ast.unparse(call.func)


def test_what_joins_is_found() -> None:
    assert list(made_in_answers("answer = {panel.box: gr.HTML(visible=True) if x else gr.skip()}")) == [
        "gr.HTML"
    ]


@pytest.mark.parametrize("file", sorted(UI.rglob("*.py")), ids=lambda file: str(file.relative_to(UI)))
def test_handlers_answer_with_updates(file: Path) -> None:
    assert list(made_in_answers(file.read_text(encoding="utf-8"))) == []
