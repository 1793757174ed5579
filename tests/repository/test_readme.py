"""What the README promises holds: its front matter, links, commands, snippets, settings and contract."""

import argparse
import ast
import importlib
import importlib.util
import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import storage.__main__
import usam.cli.main
from usam.schema.answer import Answer, ModelInfo, Timings, Turn
from usam.schema.trace import AudioToken, ClipSpan, TokenWord, Trace

ROOT = Path(__file__).parents[2]
_, FRONT_MATTER, README = (ROOT / "README.md").read_text("utf-8").split("---\n", 2)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TEXT = FENCE.sub("", README)
# The same names as https://huggingface.co/docs/hub/spaces-config-reference allows.
SPACE_COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def blocks(language: str) -> list[str]:
    found = [body for kind, body in FENCE.findall(README) if kind == language]
    assert found
    return found


def commands(start: str) -> list[list[str]]:
    """The words after `start` of every command line in the README that begins with it."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith(start)]
    assert lines
    return [shlex.split(line.removeprefix(start), comments=True) for line in lines]


def front_matter() -> dict[str, Any]:
    return yaml.safe_load(FRONT_MATTER)


def requirements() -> dict[str, Requirement]:
    lines = [
        line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    ]
    return {requirement.name: requirement for requirement in map(Requirement, filter(None, lines))}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_space_is_described_as_spaces_want_it() -> None:
    space = front_matter()
    assert space["sdk"] == "gradio"
    assert (ROOT / space["app_file"]).is_file()
    assert {space["colorFrom"], space["colorTo"]} <= SPACE_COLORS
    assert len(space["short_description"]) <= 60
    assert space["license"] == project()["license"].lower()


def test_space_is_described_completely() -> None:
    """By https://huggingface.co/docs/hub/spaces-config-reference, where a misspelt key is just ignored."""
    space = front_matter()
    needed = {
        "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file",
        "license", "short_description", "models", "tags", "suggested_hardware", "startup_duration_timeout",
    }  # fmt: skip
    further = {"pinned", "datasets", "header", "thumbnail", "fullWidth", "hf_oauth", "disable_embedding"}
    assert needed <= set(space) <= needed | further
    assert all(space[key] for key in needed)
    assert not space["emoji"].isascii()
    assert space["suggested_hardware"] in {"cpu-basic", "cpu-upgrade", "t4-small", "t4-medium"}
    assert re.fullmatch(r"\d+[mh]", space["startup_duration_timeout"])
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", model) for model in space["models"])


def test_space_runs_what_the_requirements_allow() -> None:
    space = front_matter()
    assert requirements()["gradio"].specifier.contains(space["sdk_version"])
    assert isinstance(space["python_version"], str)  # unquoted, 3.10 would be 3.1
    assert SpecifierSet(project()["requires-python"]).contains(space["python_version"])


def test_every_requirement_has_a_lower_bound() -> None:
    assert [
        name for name, requirement in requirements().items() if ">=" not in str(requirement.specifier)
    ] == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXT))))
def test_link_leads_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()


@pytest.mark.parametrize("start", ["./run.sh", "./test.sh"])
def test_command_runs_right_after_the_clone(start: str) -> None:
    assert [start] in [block.split() for block in blocks("sh")]
    assert os.access(ROOT / start, os.X_OK)


@pytest.mark.parametrize("package", [usam, storage], ids=lambda package: package.__name__)
def test_command_lines_parse(package: Any) -> None:
    parser: argparse.ArgumentParser = package.__main__.parser()
    for words in commands(f"python -m {package.__name__} "):
        parser.parse_args(words)


def test_other_modules_run_exist() -> None:
    for module in re.findall(r"^python -m ([\w.]+)", "\n".join(blocks("sh")), re.MULTILINE):
        assert importlib.util.find_spec(module) is not None, module


def test_python_takes_only_names_that_exist() -> None:
    for block in blocks("python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


def test_endpoints_exist() -> None:
    told = set(re.findall(r'[`"]/(\w+)[`"]', README))
    code = (ROOT / "ui" / "api.py").read_text("utf-8")
    assert told == set(re.findall(r'api_name="(\w+)"', code))


def test_settings_are_those_that_are_read() -> None:
    told = re.findall(r"^\| `(USAM_\w+)` \|", README, re.MULTILINE)
    assert sorted(told) == sorted(settings_read())


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
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"USAM_[A-Z_]+", node.value)
    }


def test_json_contract_is_what_an_answer_gives() -> None:
    [contract] = [json.loads(block) for block in blocks("json")]
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
