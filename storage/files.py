"""Where files are kept that belong to rows of the database: a folder, or a bucket that machines share."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.errors import StorageError, plain_errors

log = logging.getLogger(__name__)

CACHE = "cache"
PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub"}
BUCKETS = {"s3", "s3a", "gs", "gcs"}  # a folder is part of a name there, and making one would make a bucket


class FileStore(ABC):
    """Files by their paths, such as `audio/clip.wav`. A file is there whole or not at all. What is put again
    under its path with another content is to be read by `read` alone.

    local: a folder of this machine in which they are, or copies of those that were read.  Safe to share
    between threads. Every method may raise StorageError.
    """

    local: Path
    shared = False
    """Whether other machines see the same files without sharing `local`."""

    @abstractmethod
    def put(self, path: str, source: Path) -> None:
        """Keep a copy of a local file."""

    @abstractmethod
    def get(self, path: str) -> Path | None:
        """A local file with the content, not to be changed; None where there is none of this path."""

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """The content of a small file as it is now; None where there is none of this path."""

    @abstractmethod
    def remove(self, path: str) -> bool:
        """Whether there was such a file."""

    @abstractmethod
    def paths(self, beginning: str) -> list[str]:
        """The paths of files in a folder, such as `audio/`, or whose path begins like this, such as
        `audio/9f86`."""


class LocalFiles(FileStore):
    def __init__(self, folder: Path) -> None:
        self.local = folder

    def put(self, path: str, source: Path) -> None:
        with plain_errors():
            _put(source, self.local / path)

    def get(self, path: str) -> Path | None:
        file = self.local / path
        with plain_errors():
            return file if file.is_file() else None

    def read(self, path: str) -> bytes | None:
        file = self.get(path)
        with plain_errors():
            return file.read_bytes() if file else None

    def remove(self, path: str) -> bool:
        file = self.local / path
        with plain_errors():
            if not file.is_file():
                return False
            file.unlink(missing_ok=True)
            return True

    def paths(self, beginning: str) -> list[str]:
        folder = self.local / beginning.rpartition("/")[0]
        with plain_errors():
            found = (file.relative_to(self.local).as_posix() for file in folder.rglob("*") if file.is_file())
            return sorted(path for path in found if path.startswith(beginning))


class RemoteFiles(FileStore):
    """On whatever fsspec reaches by a URL, such as `s3://bucket/folder`."""

    shared = True

    def __init__(self, url: str, cache: Path) -> None:
        """cache: a folder for copies of what is read. Raises StorageError."""
        import fsspec  # not needed for a folder

        self.url = url
        self.local = cache
        self._bucket = (scheme := url.partition("://")[0]) in BUCKETS
        try:
            # Other machines change what is there, so that no listing may be kept.
            self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except ImportError as error:
            package = PACKAGES.get(scheme, f"fsspec's package for {scheme}")
            raise StorageError(f"USAM_STORAGE needs another package: pip install {package}") from error
        except ValueError as error:
            raise StorageError(f"USAM_STORAGE cannot be {url!r}: {error}.") from error

    def put(self, path: str, source: Path) -> None:
        with self._reached():
            place = self._place(path)
            if not self._bucket:
                self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(source), place)

    def get(self, path: str) -> Path | None:
        copy, place = self.local / path, self._place(path)
        with self._reached():
            try:
                size = self._files.info(place)["size"]
            except FileNotFoundError:
                copy.unlink(missing_ok=True)
                return None
            if copy.is_file() and copy.stat().st_size == size:
                return copy
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=copy.parent, prefix=".fetch-") as scratch:
                part = Path(scratch) / "part"
                try:
                    self._files.get_file(place, str(part))
                except FileNotFoundError:  # deleted at this moment
                    return None
                part.replace(copy)
        return copy

    def read(self, path: str) -> bytes | None:
        with self._reached():
            try:
                return bytes(self._files.cat_file(self._place(path)))
            except FileNotFoundError:
                return None

    def remove(self, path: str) -> bool:
        with self._reached():
            (self.local / path).unlink(missing_ok=True)
            place = self._place(path)
            try:
                self._files.info(place)  # S3 deletes what is not there without a word
                self._files.rm_file(place)
            except FileNotFoundError:
                return False
        return True

    def check(self) -> None:
        """Raises StorageError where the bucket is not there; not where it cannot be reached at the moment."""
        bucket = self._root.partition("/")[0]
        try:
            if self._bucket:
                self._files.info(bucket)
        except FileNotFoundError as error:
            raise StorageError(
                f"USAM_STORAGE names the bucket {bucket!r}, which is not there, or not yours."
            ) from error
        except Exception as error:  # every package has errors of its own
            log.warning("the storage %s cannot be reached now: %r", self.url, error)

    def paths(self, beginning: str) -> list[str]:
        folder = beginning.rpartition("/")[0]
        with self._reached():
            try:
                found = self._files.find(self._place(folder))
            except FileNotFoundError:
                return []
            there = (place.removeprefix(self._place("")).lstrip("/") for place in found)
            return sorted(path for path in there if path.startswith(beginning))

    def _place(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}".rstrip("/")

    @contextmanager
    def _reached(self) -> Iterator[Any]:
        """Every package has errors of its own."""
        try:
            yield
        except StorageError:
            raise
        except Exception as error:
            log.warning("the storage %s failed: %r", self.url, error)
            raise StorageError("The storage of files cannot be reached; try again.") from error


def open_files(url: str | None, folder: Path) -> FileStore:
    """The store that `url` names: a folder, or what fsspec reaches. None: the data folder itself.

    folder: the data folder. Raises StorageError.
    """
    if not url:
        return LocalFiles(folder)
    if named := local_folder(url):
        return LocalFiles(named)
    files = RemoteFiles(url, folder / CACHE)
    files.check()
    return files


def local_folder(url: str) -> Path | None:
    """The folder that USAM_STORAGE names, by its path or as `file://`; None for a bucket."""
    path = url.removeprefix("file://")
    return None if "://" in path else Path(path).expanduser().resolve()


def safe_suffix(file: Path) -> str:
    """The suffix of a file that somebody named, to end a path with; empty where it is not a plain one."""
    return file.suffix.lower() if re.fullmatch(r"\.\w{1,8}", file.suffix, re.ASCII) else ""


def _put(source: Path, target: Path) -> None:
    """Raises OSError."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Whatever deletes the file by the beginning of its path deletes what an interrupted copy left, too.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}-")
    try:
        with os.fdopen(handle, "wb") as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
