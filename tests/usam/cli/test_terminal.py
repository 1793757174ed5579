"""What reaches the terminal: no library's notes, no traceback for a character, and which part is heard."""

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from usam.cli.main import main
from usam.engine.engine import Engine

NOISY = """
import logging, sys, warnings
import usam.cli.main, usam.cli.ask
from usam.cli.options import dump
def run(options):
    logging.getLogger("bitsandbytes.backends.cpu.ops").warning("Failed to load CPU gemm_4bit_forward")
    from transformers.utils.logging import tqdm
    list(tqdm(range(3), desc="Loading weights"))
    warnings.warn("old name", FutureWarning)
    warnings.warn_explicit("old name", DeprecationWarning, "usam", 1, module="__main__")
    print("\\u201cna\\u00efve\\u201d" if not options.json else dump({"answer": "\\u201cna\\u00efve\\u201d"}))
usam.cli.ask.run_ask = run
sys.exit(usam.cli.main.main(sys.argv[1:]))
"""


def noisy(*arguments: str, encoding: str) -> tuple[str, str, int]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    environment.pop("PYTHONWARNINGS", None)
    ran = subprocess.run(
        [sys.executable, "-c", NOISY, "ask", *arguments], env=environment, capture_output=True
    )
    return ran.stdout.decode(encoding), ran.stderr.decode(encoding), ran.returncode


def test_notes_of_libraries_do_not_reach_the_terminal() -> None:
    assert noisy("clip.wav", encoding="utf-8") == ("“naïve”\n", "", 0)


def test_what_a_terminal_cannot_write_ends_nothing() -> None:
    assert noisy("clip.wav", encoding="ascii") == ("?na?ve?\n", "", 0)
    printed, errors, status = noisy("clip.wav", "--json", encoding="ascii")
    assert (json.loads(printed), errors, status) == ({"answer": "“naïve”"}, "", 0)


@pytest.fixture
def long_clip(tmp_path: Path) -> str:
    with wave.open(str(tmp_path / "long.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes([0, 32, 0, 224] * 8_000 * 40))
    return str(tmp_path / "long.wav")


@pytest.mark.parametrize(
    ("span", "heard"),
    [
        ([], "0 to 30 s of 40 s"),
        (["--start", "5"], "5 to 35 s of 40 s"),
        (["--start", "1", "--end", "39"], "1 to 31 s of 40 s"),
        (["--start", "1", "--end", "4"], ""),
        (["--start", "15"], ""),
    ],
)
def test_the_part_that_is_heard_is_named_where_more_was_asked_about(
    long_clip: str,
    span: list[str],
    heard: str,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Engine, "load", lambda *args, **options: engine)
    assert main(["ask", long_clip, *span, "--max-new-tokens", "1"]) == 0
    errors = capsys.readouterr().err
    assert heard in errors if heard else "heard" not in errors
    assert main(["ask", long_clip, *span, "--max-new-tokens", "1", "--json"]) == 0
    assert capsys.readouterr().err == ""
