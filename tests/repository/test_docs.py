"""What the documents name is in the code, and what people can use of the code is in the documents."""

import argparse
import ast
import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import storage.__main__
import usam.cli.main
from tests.repository.documents import ROOT, Document, document, documents
from ui.settings import Settings
from usam.schema.answer import Answer, ModelInfo, Timings, Turn
from usam.schema.trace import AudioToken, ClipSpan, TokenWord, Trace

PATH = re.compile(r"(?:usam|storage|ui|tests|docs|scripts|benchmarks|\.ci)/[\w./*]*")
PARSERS = {"usam": usam.cli.main.parser, "storage": storage.__main__.parser}
SETTING = re.compile(r"USAM_[A-Z]+(?:_[A-Z]+)*")
# What answers beside the named endpoints.
ROUTES = {
    "/health",
    "/ready",
    "/metrics",
    "/mcp",
    "/gradio_api/openapi.json",
    "/gradio_api/upload",
    "/download",
    "/logout",
    "/upload",
}
# Of tests, not of the product.
TEST_SETTINGS = {"USAM_TEST_POSTGRESQL"}


@pytest.fixture(params=documents(), ids=lambda each: each.name)
def text(request: pytest.FixtureRequest) -> Document:
    return request.param


def test_links_lead_somewhere(text: Document) -> None:
    lost = []
    for link in text.links():
        name, _, anchor = link.partition("#")
        target = (text.path.parent / name).resolve() if name else text.path
        if link.startswith("https://"):
            continue
        if not target.exists() or (anchor and anchor not in Document(target).anchors()):
            lost.append(link)
    assert lost == []


def test_paths_exist(text: Document) -> None:
    paths = [code for code in text.inline() if PATH.fullmatch(code)]
    assert [path for path in paths if not any(ROOT.glob(path.rstrip("/")))] == []


def test_command_lines_parse(text: Document) -> None:
    for words in text.commands():
        if parsed := of_a_package(words):
            name, arguments = parsed
            PARSERS[name]().parse_args(arguments)


def test_commands_within_sentences_have_their_options(text: Document) -> None:
    for code in text.inline():
        words = code.split()
        if parsed := of_a_package(words):
            name, (command, *arguments) = parsed
            known = subcommands(PARSERS[name]())[command].format_help()
            assert [word for word in arguments if word.startswith("--") and word not in known] == [], code


def test_other_modules_run_and_have_their_options(text: Document) -> None:
    for words in (*text.commands(), *(code.split() for code in text.inline())):
        match words:
            case ["python", "-m", module, *arguments] if module not in {*PARSERS, "pip"}:
                place = ROOT / module.replace(".", "/")
                runs = place / "__main__.py" if place.is_dir() else place.with_suffix(".py")
                assert runs.is_file(), module
                source = "".join(file.read_text("utf-8") for file in {runs, *place.glob("*.py")})
                assert [
                    word for word in arguments if word.startswith("--") and f'"{word}"' not in source
                ] == []


@pytest.mark.parametrize("package", PARSERS)
def test_every_command_is_shown(package: str) -> None:
    shown = [of_a_package(words) for text in documents() for words in text.commands()]
    assert set(subcommands(PARSERS[package]())) <= {
        parsed[1][0] for parsed in shown if parsed and parsed[0] == package
    }


def of_a_package(words: list[str]) -> tuple[str, list[str]] | None:
    """The package whose command line it is, and its arguments; None where there is neither."""
    match words:
        case ["python", "-m", ("usam" | "storage") as name, *arguments] if arguments:
            return name, arguments
        case ["usam", *arguments] if arguments:
            return "usam", arguments
    return None


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    [action] = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return action.choices


def test_python_takes_only_names_that_exist(text: Document) -> None:
    for block in text.blocks("python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


def test_endpoints_are_all_described() -> None:
    code = "".join(file.read_text("utf-8") for file in (ROOT / "ui/api").glob("*.py"))
    endpoints = {f"/{name}" for name in re.findall(r'api_name="(\w+)"', code)}
    assert endpoints
    contract = document("docs/contract.md")
    assert set(re.findall(r"^\| `(/\w+)` \|", contract.text, re.MULTILINE)) == endpoints
    called = {name for text in documents() for name in re.findall(r'api_name="(/\w+)"', text.text)}
    named = {code for text in documents() for code in text.inline() if re.fullmatch(r"/(?!usr)[\w/.]+", code)}
    assert called <= endpoints
    assert named <= endpoints | ROUTES | {"/tmp", "/data"}


def test_settings_are_those_that_are_read() -> None:
    described = re.findall(r"^\| `(USAM_\w+)` \|", document("docs/settings.md").text, re.MULTILINE)
    assert sorted(described) == sorted(settings_read())


def test_no_document_names_a_setting_that_is_not_read(text: Document) -> None:
    assert set(SETTING.findall(text.text)) <= settings_read() | TEST_SETTINGS


def test_defaults_are_those_of_the_code() -> None:
    settings = Settings.from_environment({})
    shown = re.findall(r"^\| `USAM_(\w+)` \| `([^`]+)` \|", document("docs/settings.md").text, re.MULTILINE)
    compared = {}
    for name, default in shown:
        value = getattr(settings, name.lower(), None)
        if isinstance(value, tuple):
            compared[name] = (default, ", ".join(value))
        elif isinstance(value, bool | int | float):
            compared[name] = (float(default), float(value))
        elif isinstance(value, str):
            compared[name] = (default, value)
    assert len(compared) > 10
    assert [name for name, (default, value) in compared.items() if default != value] == []


def settings_read() -> set[str]:
    """Every string in the code that is the name of a setting and nothing else."""
    files = [
        ROOT / "app.py",
        *(file for package in ("usam", "storage", "ui") for file in (ROOT / package).rglob("*.py")),
    ]
    return {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SETTING.fullmatch(node.value)
    }


def test_json_contract_is_what_an_answer_gives() -> None:
    [contract] = [json.loads(block) for block in document("docs/contract.md").blocks("json")]
    assert set(keys(contract)) == set(keys(an_answer().to_json()))


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Paths of all keys of an object; the items of a list share one path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}.{key}"
            yield from keys(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, f"{path}[]")


def an_answer() -> Answer:
    words = (TokenWord("one", "dog", 0.9),)
    token = AudioToken(0.0, 0.08, 0, (0.5, 0.5), 0.5, 0.5, 0.5, 0.5, True, words=words)
    return Answer(
        text="A dog.",
        task="qa",
        question="What is this?",
        heard=ClipSpan(0.0, 0.08, 0.08, "0" * 64),
        trace=Trace(("one", "two"), (token,), "question"),
        timings=Timings(1.0, 1.0, 1.0, 1.0, 1.0, 2),
        model=ModelInfo("mini", "0", "nf4", "cpu", 1, 1.0),
        prompt="",
        seed=0,
        history=(Turn("What?", "That."),),
    )
