"""The packages stay separable, importing one is harmless, and no text names a machine."""

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("usam", "storage", "ui")
KEPT_APART = {
    "usam": {"gradio", "sqlalchemy", "alembic", "storage", "ui"},
    "storage": {"gradio", "torch", "transformers", "usam", "ui"},
}
MOST_FILES = 14  # Python files beside each other
BIGGEST_FILE = 1_000_000
BIGGEST_CHECKPOINT = 32 * 2**20

# What no text may hold: a folder of one machine, a package index's host, a folder outside the repository.
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:root|work|home|Users|tmp|mnt)/\w")
INDEX_HOST = re.compile(r"pypi[.]org|pythonhosted[.]org|deb[.]debian[.]org|registry[.]npmjs")
OUTSIDE = re.compile(r"[.][.]/shared\b")

# Imports every module of a package and reports what that brought in and set off.
IMPORT_ALL = """
import gc, importlib, json, pkgutil, sys
set_off = []
def watch(event, arguments):
    if event == "socket.connect" or event == "subprocess.Popen" and "pip" in map(str, arguments[1]):
        set_off.append(f"{event} {arguments[1]}")
sys.addaudithook(watch)
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if module.name != "storage.migrations.env":  # a script that alembic runs
        importlib.import_module(module.name)
torch = sys.modules.get("torch")
weights = sum(thing.numel() for thing in gc.get_objects() if torch and type(thing) is torch.nn.Parameter)
modules = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps({"modules": modules, "weights": weights, "set_off": set_off}))
"""


def sources(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found
    return found


def texts() -> Iterator[tuple[Path, str]]:
    """Every file of the product that is a text, with its text."""
    for file in product_files():
        try:
            yield file.relative_to(ROOT), file.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def product_files() -> Iterator[Path]:
    for place in (*ROOT.glob("*"), ROOT / ".ci", ROOT / ".gitattributes"):
        if place.is_file() and place.name != ".git":  # a file in a further work tree
            yield place
        elif place.name in {*PACKAGES, "tests", "benchmarks", "docs", "scripts", ".ci"}:
            yield from (
                file for file in place.rglob("*") if file.is_file() and "__pycache__" not in file.parts
            )


def imports(file: Path) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """(line, module, names taken from it) of every import of a file, also those inside functions."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module, tuple(alias.name for alias in node.names)


def test_folders_are_not_crowded() -> None:
    counted = Counter(
        str(file.parent.relative_to(ROOT))
        for file in product_files()
        if file.suffix == ".py" and file.parent != ROOT
    )
    assert {folder: count for folder, count in counted.items() if count > MOST_FILES} == {}


def test_ui_uses_public_names_only() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line} takes {module}.{name}"
        for file in sources("ui")
        for line, module, names in imports(file)
        if module.split(".")[0] in KEPT_APART
        for name in (*names, module.rsplit(".")[-1])
        if name.startswith("_")
    ]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_import_loads_no_model_and_writes_nothing(package: str, tmp_path: Path) -> None:
    folders = {"USAM_HOME": str(tmp_path / "weights"), "USAM_DATA": str(tmp_path / "data")}
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, package],
        cwd=ROOT,
        env=os.environ | folders | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout.splitlines()[-1])
    assert seen["weights"] == 0
    assert seen["set_off"] == []
    assert not KEPT_APART.get(package, set()) & set(seen["modules"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pattern", [MACHINE_PATH, INDEX_HOST, OUTSIDE], ids=["machine", "host", "outside"])
def test_texts_fit_anywhere(pattern: re.Pattern[str]) -> None:
    wrong = [
        f"{file}:{number} {line.strip()[:80]}"
        for file, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert wrong == []


def test_files_are_small_enough_for_git() -> None:
    checkpoints = ROOT / "usam" / "checkpoints"
    too_big = [
        str(file.relative_to(ROOT))
        for file in product_files()
        if file.stat().st_size > (BIGGEST_CHECKPOINT if checkpoints in file.parents else BIGGEST_FILE)
    ]
    assert too_big == []
