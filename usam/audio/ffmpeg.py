"""From a container or an array to one span of mono samples at the clip's own rate, holding little more."""

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

from usam.errors import AudioError

MAX_FILE_BYTES = 200 * 2**20
MAX_SECONDS = 24 * 3600.0
"""A container that claims a longer clip is taken for damaged."""
MAX_CHANNELS = 64
MIN_RATE, MAX_RATE = 1_000, 384_000
"""Hz."""
MAX_DECODING = 20.0
"""Seconds after which a file is given up. The slowest honest one tried took 3: 384 kHz, 8 channels, FLAC."""

# Seconds decoded and thrown away before a span inside a clip, until Opus, AAC and MP3 decoders have settled.
_PREROLL = 0.5
# The mean of c unrelated channels keeps 1/c of one channel's energy, 1/64 at least. Less is cancellation.
_CANCELLED = 0.01
# A movie header packed by zlib, which FFmpeg would unpack whole: gigabytes from a small file. 12 bytes tell.
_PACKED_HEADER = re.compile(rb"cmov.{4}dcom", re.DOTALL)
_FULL_SCALE = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31}


@dataclass(frozen=True)
class Span:
    """What to decode, in seconds of the clip."""

    start: float
    end: float

    def samples(self, rate: int) -> tuple[int, int]:
        """First sample and the one after the last, at `rate` Hz."""
        return round(self.start * rate), round(self.end * rate)


@dataclass(frozen=True)
class Mono:
    """A decoded span.

    samples: float32 [samples] at `rate` Hz, beginning with sample `first` of the clip.
    complete: the span is there to its end; otherwise the clip ended first.
    duration: seconds of the whole clip.
    """

    samples: np.ndarray
    rate: int
    first: int
    complete: bool
    duration: float

    @property
    def last(self) -> int:
        """The clip's sample after the last one here."""
        return self.first + len(self.samples)


@dataclass(frozen=True)
class _Clock:
    """A stream's time stamps: the first one, and seconds a tick."""

    origin: int
    tick: float

    def seconds(self, stamp: int | None, ticks: int | None = None) -> float:
        """Where in the clip `ticks` after `stamp` are; 0 if the stream has no stamps."""
        return 0.0 if stamp is None else (stamp + (ticks or 0) - self.origin) * self.tick


class _MixDown:
    """Running mean over channels, or one `channel`, with the energies that tell whether the mean cancels."""

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        self._blocks = [np.zeros(0, np.float32)]
        self._energies = np.zeros(MAX_CHANNELS)
        self._mean_energy = 0.0

    def add(self, block: np.ndarray) -> None:
        """block: [channels, samples], uint8, int16, int32 or float."""
        with np.errstate(over="ignore", invalid="ignore"):  # refused later, as samples that are not finite
            wave = _to_float(block)
            mean = wave.mean(axis=0)
            self._energies[: len(wave)] += np.square(wave, dtype=np.float64).sum(axis=1)
            self._mean_energy += len(wave) * float(np.square(mean, dtype=np.float64).sum())
        self._blocks.append(mean if self._channel is None else wave[min(self._channel, len(wave) - 1)])

    def samples(self) -> np.ndarray:
        """float32 [samples] of everything added."""
        return np.concatenate(self._blocks)

    def louder_channel(self) -> int | None:
        """The channel to hear instead of the mean: the loudest, if the mean cancels."""
        cancels = self._channel is None and self._mean_energy < _CANCELLED * self._energies.sum()
        return int(self._energies.argmax()) if cancels else None


def decode_array(rate: int, samples: np.ndarray, span: Span, label: str) -> Mono:
    """The span of `samples`, [samples] or [samples, channels] of uint8, int16, int32 or float.

    Raises AudioError: a rate, a shape or a type that cannot be heard.
    """
    if samples.ndim not in (1, 2):
        raise AudioError(f"{label} must come as [samples] or [samples, channels].")
    planar = samples[None] if samples.ndim == 1 else samples.T
    _check_format(label, rate, len(planar))
    first, last = span.samples(rate)
    mix = _MixDown()
    mix.add(planar[:, first:last])
    if (channel := mix.louder_channel()) is not None:
        mix = _MixDown(channel)
        mix.add(planar[:, first:last])
    length = planar.shape[1]
    return Mono(mix.samples(), rate, first, complete=last <= length, duration=length / rate)


def decode_container(source: Path | bytes, span: Span, label: str) -> Mono:
    """The span of a file or of a file's bytes, in any container FFmpeg reads; of a video, its sound.

    Raises AudioError: missing, empty, too large or damaged file, no sound track, a format out of bounds, or
    more work than a file of that kind should be.
    """
    try:
        with closing(_open(source, label)) as file:
            mix = _MixDown()
            mono = _decode(file, span, label, mix)
            if not file.late and (channel := mix.louder_channel()) is not None:
                mono = _decode(file, span, label, _MixDown(channel))
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
        raise AudioError(f"{label} has a compressed header, which is not unpacked here.")
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


def _decode(file: _Input, span: Span, label: str, mix: _MixDown, *, seek: bool = True) -> Mono:
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
        _check_format(label, rate, stream.channels)
        clock = _Clock(stream.start_time or 0, float(stream.time_base or 0))
        duration = _duration(container, stream)
        if duration is not None and duration > MAX_SECONDS:
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
    """Seconds, if the container tells."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _check_format(label: str, rate: int, channels: int) -> None:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"{label} has a sample rate of {rate} Hz, not one from {MIN_RATE} to {MAX_RATE} Hz.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{label} has {channels} channels, not 1 to {MAX_CHANNELS}.")


def _to_float(samples: np.ndarray) -> np.ndarray:
    """Integers as float32 within [-1, 1]; floats as they are, in float32."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    kind = samples.dtype.str[1:]
    if kind not in _FULL_SCALE:
        raise AudioError(f"Samples of type {samples.dtype} are not heard: use int16, int32, uint8 or float.")
    scale = _FULL_SCALE[kind]
    return ((samples - (scale if kind == "u1" else 0.0)) / scale).astype(np.float32)
