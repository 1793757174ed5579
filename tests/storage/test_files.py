"""Files in a folder and in a bucket behave the same, and what is deleted is gone everywhere."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from storage import Feedback, StorageError, open_database
from storage.export import export
from storage.files import FileStore, LocalFiles, RemoteFiles, open_files
from storage.maintenance.deleted_audio import remove_deleted_audio

Make = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """S3's protocol, spoken by a server on this machine."""
    moto = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> list[FileStore]:
    """The same store as two machines see it."""
    url = str(tmp_path / "shared")
    if request.param == "memory":
        url = f"memory://{uuid4().hex}/studio"
    elif request.param == "s3":
        bucket = f"b{uuid4().hex}"
        request.getfixturevalue("s3").mkdir(bucket)
        url = f"s3://{bucket}/studio"
    return [open_files(url, tmp_path / name) for name in ("here", "there")]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "clip.wav"
    file.write_bytes(b"RIFF")
    return file


def test_what_one_machine_keeps_another_reads_lists_and_deletes(
    machines: list[FileStore], source: Path
) -> None:
    here, there = machines
    assert there.get("audio/a.wav") is None
    assert there.paths("audio/") == []
    assert not there.remove("audio/a.wav")
    for path in ("audio/a.wav", "audio/ab.wav", "checkpoints/tuned-1/config.json"):
        here.put(path, source)
    got = there.get("audio/a.wav")
    assert got is not None
    assert got.read_bytes() == b"RIFF"
    assert there.paths("audio/a") == ["audio/a.wav", "audio/ab.wav"]
    assert there.paths("audio/ab") == ["audio/ab.wav"]
    assert there.paths("checkpoints/") == ["checkpoints/tuned-1/config.json"]
    assert here.remove("audio/a.wav")
    assert there.get("audio/a.wav") is None
    assert not got.exists(), "no copy stays behind once it is asked for"
    assert here.paths("audio/") == ["audio/ab.wav"]


def test_what_is_put_again_is_read_anew(machines: list[FileStore], source: Path) -> None:
    here, there = machines
    assert there.read("promoted.json") is None
    for content in (b"one", b"two"):
        source.write_bytes(content)
        here.put("promoted.json", source)
        assert there.read("promoted.json") == content


def test_what_a_copy_that_broke_off_left_goes_with_the_file(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = LocalFiles(tmp_path / "shared")
    with monkeypatch.context() as patch:  # as if the process died here
        patch.setattr("storage.files.Path.replace", lambda *_: None)
        patch.setattr("storage.files.Path.unlink", lambda *_, **__: None)
        files.put("audio/a.wav", source)
    assert files.get("audio/a.wav") is None
    (left,) = files.paths("audio/a")
    assert files.remove(left)


def test_a_store_that_cannot_be_is_refused_in_a_sentence(tmp_path: Path, source: Path) -> None:
    with pytest.raises(StorageError, match="USAM_STORAGE"):
        open_files("nowhere://bucket", tmp_path)
    closed = tmp_path / "file"
    closed.write_text("no folder")
    with pytest.raises(StorageError, match="file"):
        LocalFiles(closed).put("audio/a.wav", source)


def test_a_bucket_that_is_not_there_is_not_made_but_said(s3: Any, tmp_path: Path, source: Path) -> None:
    with pytest.raises(StorageError, match="bucket 'nowhere', which is not there"):
        open_files("s3://nowhere/studio", tmp_path)
    s3.mkdir("passing")
    files = open_files("s3://passing/studio", tmp_path)
    s3.rmdir("passing")
    with pytest.raises(StorageError, match="cannot be reached"):
        files.put("audio/a.wav", source)
    assert not s3.exists("passing")


def test_a_store_that_fails_is_reported_in_a_sentence(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = RemoteFiles("memory://bucket", tmp_path)

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("a package's own error")

    for name in ("put_file", "info", "find", "rm_file", "cat_file"):
        monkeypatch.setattr(f"fsspec.implementations.memory.MemoryFileSystem.{name}", broken)
    for act in (
        lambda: files.put("a", source),
        lambda: files.get("a"),
        lambda: files.paths("a/"),
        lambda: files.remove("a"),
        lambda: files.read("a"),
    ):
        with pytest.raises(StorageError, match="cannot be reached"):
            act()


def test_kept_audio_in_a_bucket_is_heard_exported_and_deleted_from_every_machine(
    url: str, make_record: Make, source: Path, tmp_path: Path
) -> None:
    bucket = f"memory://{uuid4().hex}"
    here, there = (Feedback(open_database(url, storage=bucket)) for _ in range(2))
    there.database.files.local = tmp_path / "another machine"
    answer = here.record_answer(make_record(), annotator="me", audio_path=str(source))
    here.rate(answer, "me", thumb=1)
    heard = there.kept_audio(answer)
    assert heard is not None
    assert heard.read_bytes() == b"RIFF"
    export(there.database, "audiofolder", tmp_path / "out")
    assert [file.read_bytes() for file in (tmp_path / "out").rglob("*.wav")] == [b"RIFF"]
    assert here.forget(annotator="me").files == 1
    assert here.database.files.paths("audio/") == []
    remove_deleted_audio(there.database)
    assert not heard.exists()
