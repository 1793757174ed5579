"""The audit of dependencies: holes fail it, and a service that cannot be asked is no pass."""

import os
import subprocess
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[2] / ".ci" / "audit"
HOLES = "jinja2 3.1.2 GHSA-h5c8-rqwp-cp95 3.1.3"


def audited(tmp_path: Path, *, known: str, installed_status: int) -> tuple[int, str]:
    """The audit with a stand-in for pip-audit. known: what it prints about the version with holes; `pypi`
    answers as if it could not be reached."""
    tool = tmp_path / "pip-audit"
    tool.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '  *"-s pypi"*) exit 0 ;;\n'
        f'  *"-r "*) echo "{known}"; exit 1 ;;\n'
        f'  *) echo "asked: $*"; exit {installed_status} ;;\n'
        "esac\n"
    )
    tool.chmod(0o755)
    done = subprocess.run(
        [AUDIT], env={**os.environ, "PIP_AUDIT": str(tool)}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("status", [0, 1])
def test_the_service_that_can_be_asked_decides(tmp_path: Path, status: int) -> None:
    returned, printed = audited(tmp_path, known=HOLES, installed_status=status)
    assert returned == status
    assert "Asking osv" in printed
    assert "site-packages" in printed


def test_without_a_service_it_says_so(tmp_path: Path) -> None:
    returned, printed = audited(tmp_path, known="could not be reached", installed_status=1)
    assert returned == 0
    assert printed.startswith("Not audited: neither")
