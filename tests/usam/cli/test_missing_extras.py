"""What a command says where the packages of an extra are not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a process of its own, in which these packages cannot be imported

ROOT = Path(__file__).parents[3]
MISSING = {
    "bench --plot speed.png": ("matplotlib", "eval"),
    "bench --data .": ("jiwer", "eval"),
    "eval --data .": ("jiwer", "eval"),
    "train --data . --work work --output adapter": ("soundfile", "train"),
}
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
sys.modules |= dict.fromkeys(("matplotlib", "jiwer", "sacrebleu", "soundfile", "mido"))  # as if not installed
from usam.cli.main import main
for command in sys.stdin:
    print(main(command.split()), file=sys.stderr)
"""


def test_a_missing_package_is_a_sentence_that_says_how_to_install_it(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", RUN, str(ROOT)],
        input="\n".join(MISSING),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    expected = [
        line
        for package, extra in MISSING.values()
        for line in (
            f"usam: This needs the package {package}; `pip install 'usam-studio[{extra}]'` installs it.",
            "2",
        )
    ]
    assert ran.stderr.splitlines() == expected
