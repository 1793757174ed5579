"""The README: short enough to be read, and a Space as Hugging Face wants it described."""

import os
import re
import tomllib
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.repository.documents import ROOT, document

README = document("README.md")
MOST_LINES = 200
# The same names as https://huggingface.co/docs/hub/spaces-config-reference allows.
SPACE_COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def front_matter() -> dict[str, Any]:
    return yaml.safe_load(README.front_matter)


def requirements() -> dict[str, Requirement]:
    lines = [
        line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    ]
    return {requirement.name: requirement for requirement in map(Requirement, filter(None, lines))}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_it_is_short() -> None:
    assert len(README.text.splitlines()) <= MOST_LINES


def test_it_leads_to_every_other_document() -> None:
    others = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")}
    others |= {"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "usam/checkpoints/mini/README.md"}
    assert others <= {link.partition("#")[0] for link in README.links()}


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


@pytest.mark.parametrize("start", ["./run.sh", "./test.sh"])
def test_command_runs_right_after_the_clone(start: str) -> None:
    assert [start] in README.commands()
    assert os.access(ROOT / start, os.X_OK)
