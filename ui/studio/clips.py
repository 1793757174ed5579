"""Decoded clips of all sessions, within one budget of memory: each is decoded once, and again when needed
after it was discarded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ui.examples import EXAMPLES
from usam.errors import RequestError, UsamError
from usam.schema.trace import ClipSpan

if TYPE_CHECKING:
    from torch import Tensor

    from usam.audio.clip import Clip

CLIP_BUDGET = 256 * 2**20
"""Bytes, some hundred clips of 30 s with what the page is sent of them."""
GONE = "The clip is not on the server any more. Please upload it again."

RECORDING = "audio.wav"
"""What a browser calls every recording."""

Decode = Callable[[str, float | None, float | None], "Clip"]
"""Decodes a span (s) of a file, by default from its start; may raise UsamError."""
Derive = Callable[["Tensor"], Mapping[str, Any]]
"""Makes something of a waveform [samples]; its long values are texts or bytes."""
Key: TypeAlias = tuple[str, float | None, float | None]


def name_of(file: str) -> str:
    """A clip's name for people: an example's label, else that of its file."""
    path = Path(file)
    labels = {example.file: example.label for kind in EXAMPLES.values() for example in kind}
    return "recording" if path.name == RECORDING else labels.get(path.name, path.name)


@dataclass(eq=False)
class _Held:
    """A clip in memory. stamp: of its file when it was decoded.  derived: what was made of it, by maker."""

    clip: Clip
    stamp: tuple[int, int]
    derived: dict[Derive, Mapping[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def size(self) -> int:
        """Bytes."""
        texts = (value for made in self.derived.values() for value in made.values())
        waveform = self.clip.waveform
        return waveform.nbytes + sum(len(text) for text in texts if isinstance(text, str | bytes))


class ClipCache:
    """Safe to share between threads. Over the budget, the clips that were used longest ago are discarded."""

    def __init__(self, decode: Decode, budget: int = CLIP_BUDGET) -> None:
        """budget: bytes; the latest clip is held even if it alone takes more."""
        self._decode = decode
        self._budget = budget
        self._lock = threading.Lock()
        self._held: OrderedDict[Key, _Held] = OrderedDict()
        self._decoding: dict[Key, Future[_Held]] = {}

    @property
    def size(self) -> int:
        """Bytes that the clips take now."""
        with self._lock:
            return self._size()

    def load(self, file: str, start: float | None = None, end: float | None = None) -> HeardClip:
        """A span of a file, decoded unless it is held already. Raises UsamError."""
        clip = self._load((file, start, end)).clip
        heard = ClipSpan(clip.start, clip.end, clip.duration, clip.sha256, clip.gain_db, clip.tracks)
        return HeardClip(self, file, start, end, heard)

    def get(self, heard: HeardClip) -> Clip | None:
        """See `HeardClip.get`."""
        held = self._of(heard)
        return held.clip if held else None

    def derived(self, heard: HeardClip, derive: Derive) -> Mapping[str, Any] | None:
        """See `HeardClip.derived`."""
        held = self._of(heard)
        if held is None:
            return None
        with held.lock:
            if derive not in held.derived:
                held.derived[derive] = derive(held.clip.waveform)
            made = held.derived[derive]
        with self._lock:
            self._keep_within_budget()
        return made

    def _of(self, heard: HeardClip) -> _Held | None:
        key = (heard.file, heard.start, heard.end)
        with self._lock:
            held = self._find(key)
        if held is None or held.clip.sha256 != heard.heard.sha256:
            try:
                held = self._load(key)
            except UsamError:
                return None
        return held if held.clip.sha256 == heard.heard.sha256 else None

    def _load(self, key: Key) -> _Held:
        file = Path(key[0])
        if not file.is_file():
            raise RequestError(GONE)
        stat = file.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        with self._lock:
            held = self._find(key)
            if held and held.stamp == stamp:
                return held
            decoding = self._decoding.get(key)
            if decoding is None:
                mine = self._decoding[key] = Future()
        if decoding is not None:
            return decoding.result()
        try:
            held = _Held(self._decode(*key), stamp)
            with self._lock:
                self._held[key] = held
                self._held.move_to_end(key)
                self._keep_within_budget()
            mine.set_result(held)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._decoding[key]
        return held

    def _find(self, key: Key) -> _Held | None:
        """The span that is held; a file's first seconds are also found by their start and end."""
        file, start, end = key
        for known in (key, (file, None, None)):
            held = self._held.get(known)
            if held and (known == key or (held.clip.start, held.clip.end) == (start, end)):
                self._held.move_to_end(known)
                return held
        return None

    def _size(self) -> int:
        return sum(held.size for held in self._held.values())

    def _keep_within_budget(self) -> None:
        size = self._size()
        while len(self._held) > 1 and size > self._budget:
            _, held = self._held.popitem(last=False)
            size -= held.size


@dataclass(frozen=True, eq=False)
class HeardClip:
    """A clip that an answer is about, without its samples. start, end: of the span of `file` that is decoded,
    in seconds.  heard: where that lies in the original clip, which the file may be a part of."""

    cache: ClipCache
    file: str
    start: float | None
    end: float | None
    heard: ClipSpan

    def get(self) -> Clip | None:
        """The clip; None when it was discarded and its file is gone or has changed."""
        clip = self.cache.get(self)
        heard = self.heard
        return replace(clip, start=heard.start, end=heard.end, duration=heard.duration) if clip else None

    def derived(self, derive: Derive) -> Mapping[str, Any] | None:
        """The value of `derive` for the waveform, computed once while the clip is held; None as for `get`."""
        return self.cache.derived(self, derive)
