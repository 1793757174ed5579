"""From a container to one span of mono samples at the clip's own rate, holding little more."""

import io
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.codec import Codec
from av.container import InputContainer

from usam.audio.samples import MixDown, Mono, Span, check_format
from usam.errors import AudioError

MAX_FILE_BYTES = 200 * 2**20
MAX_FILE_SECONDS = 24 * 3600.0
"""A container that claims a longer clip is taken for damaged."""
MAX_DECODING = 20.0
"""Seconds after which decoding is aborted. The slowest valid file tried took 3: 384 kHz, 8 channels, FLAC."""

# Seconds decoded and thrown away before a span inside a clip, until Opus, AAC and MP3 decoders have settled.
_PREROLL = 0.5
# A movie header packed by zlib, which FFmpeg would unpack whole: gigabytes from a small file. 12 bytes show
# it.
_PACKED_HEADER = re.compile(rb"cmov.{4}dcom", re.DOTALL)


@dataclass(frozen=True)
class _Clock:
    """A stream's time stamps: the first one, and seconds a tick."""

    origin: int
    tick: float

    def seconds(self, stamp: int | None, ticks: int | None = None) -> float:
        """Where in the clip `ticks` after `stamp` are; 0 if the stream has no stamps."""
        return 0.0 if stamp is None else (stamp + (ticks or 0) - self.origin) * self.tick


def decode_container(source: Path | bytes, span: Span, label: str) -> Mono:
    """The span of a file or of a file's bytes, in any container FFmpeg reads; of a video, its sound.

    Raises AudioError: missing, empty, too large or damaged file, no sound track, a format out of bounds, or
    more work than a file of that kind should be.
    """
    try:
        with closing(_open(source, label)) as file:
            mix = MixDown()
            mono = _decode(file, span, label, mix)
            if not file.late and (channel := mix.louder_channel()) is not None:
                mono = _decode(file, span, label, MixDown(channel))
            if file.late:
                raise AudioError(f"{label} takes too long to decode: it is probably damaged.")
            return mono
    except (av.FFmpegError, OSError) as cause:
        raise AudioError(f"{label} cannot be decoded: it is damaged, or not audio.") from cause


class _Input:
    """An open file as FFmpeg gets it: it ends when the time to decode is over.

    Nothing is raised in here. FFmpeg calls it from C, and there a returned -1 is what an error looks like.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._deadline = time.monotonic() + MAX_DECODING
        self.close = file.close

    @property
    def late(self) -> bool:
        """Whether the time is over, so that what was read may not be all."""
        return time.monotonic() > self._deadline

    def read(self, size: int) -> bytes:
        return b"" if self.late else self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):  # to before the beginning, as damaged tables ask for
            return -1

    def tell(self) -> int:
        return self._file.tell()


def _open(source: Path | bytes, label: str) -> _Input:
    """An open file. FFmpeg gets that, never a name, so that no name can mean an address or a device."""
    if isinstance(source, Path) and not source.is_file():
        raise AudioError(f"{label} does not exist, or is not a file.")
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size == 0:
        raise AudioError(f"{label} is empty.")
    if size > MAX_FILE_BYTES:
        raise AudioError(f"{label} is larger than {MAX_FILE_BYTES // 2**20} MB.")
    file = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    if _has_packed_header(file):
        file.close()
        raise AudioError(f"{label} has a compressed header, which is not supported.")
    return _Input(file)


def _has_packed_header(file: BinaryIO) -> bool:
    tail = b""
    while block := file.read(2**20):
        if _PACKED_HEADER.search(tail + block):
            return True
        tail = block[-12:]
    return False


def _demuxer_options() -> dict[str, str]:
    """FFmpeg may read the open file alone: a playlist must not make it open other files and addresses. It
    may decode sound alone: it would unpack cover art, a thousand times larger than the file, to probe it."""
    return {"protocol_whitelist": "none", "codec_whitelist": ",".join(_sound_decoders())}


@cache
def _sound_decoders() -> list[str]:
    return sorted(name for name in av.codecs_available if _decodes_sound(name))


def _decodes_sound(name: str) -> bool:
    try:
        return Codec(name, "r").type == "audio"
    except av.codec.codec.UnknownCodecError:  # an encoder
        return False


def _decode(file: _Input, span: Span, label: str, mix: MixDown, *, seek: bool = True) -> Mono:
    """Decode only the packets around the span.

    Samples are counted from the clip's first one or, where packets were skipped, from the time stamp of the
    first one decoded. A container without a duration (a browser's recording) is read on, undecoded.
    """
    file.seek(0)
    with av.open(file, mode="r", metadata_errors="ignore", options=_demuxer_options()) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, av.AudioStream) or stream.codec_context is None:
            raise AudioError(f"{label} has no sound track that can be decoded.")
        rate = stream.rate
        check_format(label, rate, stream.channels)
        clock = _Clock(stream.start_time or 0, float(stream.time_base or 0))
        duration = _duration(container, stream)
        if duration is not None and duration > MAX_FILE_SECONDS:
            raise AudioError(f"{label} claims to last longer than a day: it is probably damaged.")

        first, last = span.samples(rate)
        decode_from = span.start - _PREROLL
        seek = seek and decode_from > 0 and duration is not None
        if seek:
            container.seek(round(decode_from * av.time_base))
        position = 0 if decode_from <= 0 else None
        complete = False
        read = 0.0
        for packet in _packets(container, stream):
            packet_end = clock.seconds(packet.pts, packet.duration)
            read = max(read, packet_end)
            if complete or (position is None and packet.pts is not None and packet_end < decode_from):
                continue
            for frame in _frames(packet):
                if frame.sample_rate != rate:
                    raise AudioError(f"{label} changes its sample rate midway.")
                if position is None:
                    position = round(clock.seconds(frame.pts) * rate)
                    if seek and position > first:
                        return _decode(file, span, label, mix, seek=False)
                mix.add(_planar(frame)[:, max(0, first - position) : max(0, last - position)])
                position += frame.samples
            complete = position is not None and position >= last
            if complete and duration is not None:
                break
        return Mono(mix.samples(), rate, first, complete, read if duration is None else duration)


def _packets(container: InputContainer, stream: av.AudioStream) -> "Iterator[av.Packet[av.AudioStream]]":
    """The stream's packets, up to where the file is cut off or unreadable."""
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        return


def _frames(packet: "av.Packet[av.AudioStream]") -> list[av.AudioFrame]:
    """A packet's frames; none if it is damaged, as players do."""
    try:
        return packet.decode()
    except av.FFmpegError:
        return []


def _planar(frame: av.AudioFrame) -> np.ndarray:
    """[channels, samples], also where the codec interleaves channels."""
    samples = frame.to_ndarray()
    return samples if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).T


def _duration(container: InputContainer, stream: av.AudioStream) -> float | None:
    """Seconds, if the container states it."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base
