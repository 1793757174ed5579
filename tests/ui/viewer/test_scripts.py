"""The scripts of the pages outside a browser: their own unit tests, and how they are joined into one."""

import re
import shutil
import subprocess
from pathlib import Path

import playwright
import pytest

from ui.viewer.assets import FOLDER, script

ROOT = Path(__file__).parents[3]
UI = ROOT / "ui"
ASK = UI / "pages" / "ask"
MAINS = [
    FOLDER / "gradio.js",
    UI / "report" / "report.js",
    ASK / "span" / "region.js",
    ASK / "recording" / "recording.js",
]


@pytest.fixture(scope="session")
def node() -> str:
    """The system's Node or, without one, that which Playwright brings."""
    return shutil.which("node") or str(Path(playwright.__file__).parent / "driver" / "node")


def test_their_unit_tests_pass(node: str) -> None:
    tests = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "tests" / "ui").rglob("*.test.js"))
    assert tests
    done = subprocess.run([node, "--test", *tests], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("main", MAINS, ids=lambda main: main.stem)
def test_joined_they_are_one_script_in_which_no_name_is_taken_twice(
    node: str, main: Path, tmp_path: Path
) -> None:
    joined = script(main)
    assert not re.search(r"^(import|export)\b", joined, re.MULTILINE)
    file = tmp_path / "joined.mjs"  # as a module: in a plain script a second function would replace the first
    file.write_text(joined)
    done = subprocess.run([node, "--check", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_script_comes_once_and_after_those_it_imports(tmp_path: Path) -> None:
    (tmp_path / "main.js").write_text(
        'import { a } from "./a.js";\nimport {\n  b,\n} from "./b.js";\nrun(a, b);\n'
    )
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n\nexport const a = b;\n')
    (tmp_path / "b.js").write_text("export const b = 1;\n")
    lines = [line for line in script(tmp_path / "main.js").splitlines() if line]
    assert lines == ["const b = 1;", "const a = b;", "run(a, b);"]


def test_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nexport const a = b;\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport const b = a;\n')
    with pytest.raises(ValueError, match="imports itself"):
        script(tmp_path / "a.js")
