"""The container image: without root, watched, and with all that the app imports."""

import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def instructions(name: str) -> list[str]:
    """What follows each instruction of that name, continued lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return [
        line.removeprefix(f"{name} ").strip() for line in joined.splitlines() if line.startswith(f"{name} ")
    ]


def copied() -> list[str]:
    return [name for line in instructions("COPY") for name in line.split()[:-1]]


def test_the_image_runs_without_root_and_is_watched() -> None:
    assert instructions("USER") == ["studio"]
    assert DOCKERFILE.index("USER studio") > DOCKERFILE.rindex("RUN ")
    assert instructions("VOLUME") == ["/data"]
    assert instructions("STOPSIGNAL") == ["SIGINT"], "the first process of a container does not hear SIGTERM"
    [environment] = instructions("ENV")
    settings = dict(word.split("=") for word in shlex.split(environment))
    assert settings["USAM_DATA"].startswith("/data/")
    assert settings["USAM_HOME"].startswith("/data/")
    assert settings["GRADIO_SERVER_PORT"] in instructions("EXPOSE")
    assert f":{settings['GRADIO_SERVER_PORT']}/health" in instructions("HEALTHCHECK")[0]


def test_the_image_gets_what_it_copies_and_nothing_else() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(kept) == sorted(copied())
    assert [name for name in kept if not (ROOT / name).exists()] == []
    assert not any(fnmatch(name, "*.git*") or name == "tests" for name in kept)


@pytest.mark.slow
def test_the_app_needs_nothing_that_the_image_lacks(tmp_path: Path) -> None:
    for name in copied():
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    script = "import app, ui.build, usam.cli.main, usam.engine.engine, storage.__main__; print(app.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "app.py")
