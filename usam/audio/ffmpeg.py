"""From a container to one span of mono samples at the clip's own rate, holding little more."""

import io
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

import av
import numpy as np
from av.codec import Codec
from av.container import InputContainer

from usam.audio.ogg import links
from usam.audio.resampling import resample
from usam.audio.samples import MixDown, Mono, Span, check_format
from usam.errors import AudioError

MAX_FILE_BYTES = 2**30
MAX_FILE_SECONDS = 24 * 3600.0
"""A container that claims a longer clip is taken for damaged."""
MAX_DECODING = 20.0
"""Seconds after which decoding is aborted. The slowest valid file tried took 3: 384 kHz, 8 channels, FLAC."""

# Seconds decoded and thrown away before a span inside a clip, until Opus, AAC and MP3 decoders have settled.
_PREROLL = 0.5
# A movie header packed by zlib, which FFmpeg would unpack whole: gigabytes from a small file. 12 bytes show
# it.
_PACKED_HEADER = re.compile(rb"cmov.{4}dcom", re.DOTALL)


# Containers whose time stamps say when a sample is played. In others samples follow one another.
_STAMPED = {"mov", "matroska", "ogg", "mpegts", "flv", "asf", "nut"}
# Of these, the ones that count from zero: sound that begins later is preceded by silence.
_FROM_ZERO = {"mov", "matroska"}
# Containers whose duration and index can be taken at their word. Others guess both by a byte rate.
_INDEXED = {"mov", "matroska", "ogg", "flac", "caf", "nut"}
_PCM = {"wav", "w64", "aiff", "au"}
# Seconds by which stamps may differ from the count of samples: rounding, not a gap.
_JITTER = 0.05
# Seconds: a gap or a late begin longer than that is a clock that was set, not time that passed.
_LONGEST_GAP = 3600.0


def decode_container(source: Path | bytes, span: Span, label: str) -> Mono:
    """The span of a file or of a file's bytes, in any container FFmpeg reads; of a video, its sound.

    Raises AudioError: missing, empty, too large or damaged file, no sound track, a format out of bounds, or
    more work than a file of that kind should be.
    """
    try:
        with closing(_open(source, label)) as file:
            parts = [_Part(file, first, end) for first, end in links(file)]
            mono = _decode_parts(parts, span, label)
            if file.late:
                raise AudioError(f"{label} takes too long to decode: it is probably damaged.")
            return mono
    except (av.FFmpegError, OSError) as cause:
        raise AudioError(f"{label} cannot be decoded: it is damaged, or not audio.") from cause


def decode_packets(
    source: Path, wanted: Callable[[float, float], bool], label: str
) -> Iterator[tuple[float, int, np.ndarray]]:
    """The wanted ones of a file's packets, for a look at a clip that would take long to decode.

    wanted: is asked for every packet in turn, with the seconds of the clip where it begins and those that it
    lasts. Yields where samples begin (s), their rate, and the samples [channels, samples] of the track that
    a player would choose, until the time to decode is over. Raises AudioError as `decode_container`.
    """
    try:
        with closing(_open(source, label)) as file:
            before = 0.0
            for first, end in links(file):
                part, at = _Part(file, first, end), 0.0
                track = _tracks(part, label)[0]
                with _opened(part) as container:
                    stream = container.streams[track]
                    assert isinstance(stream, av.AudioStream)
                    clock, skipped = _clock(container, stream), False
                    for packet in _packets(container, stream):
                        at = at if packet.pts is None else clock.seconds(packet.pts)
                        lasts = float((packet.duration or 0) * (stream.time_base or 0))
                        if wanted(before + at, lasts):
                            if skipped:
                                stream.codec_context.flush_buffers()  # it builds on packets that came before
                            shift = 0.0
                            for frame in _frames(packet):
                                yield before + at + shift, frame.sample_rate, _planar(frame)
                                shift += frame.samples / frame.sample_rate
                            skipped = False
                        else:
                            skipped = True
                        at += lasts
                before += at
    except (av.FFmpegError, OSError) as cause:
        raise AudioError(f"{label} cannot be decoded: it is damaged, or not audio.") from cause


class _Input(Protocol):
    """What FFmpeg reads from."""

    @property
    def late(self) -> bool: ...
    def read(self, size: int) -> bytes: ...
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int: ...
    def tell(self) -> int: ...


class _File:
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


class _Part:
    """The bytes of a file from `first` to `end`, as a file of their own."""

    def __init__(self, file: _File, first: int, end: int | None) -> None:
        self._file, self._first = file, first
        self._size = (file.seek(0, io.SEEK_END) if end is None else end) - first
        self._at = 0

    @property
    def late(self) -> bool:
        return self._file.late

    def read(self, size: int) -> bytes:
        left = max(0, self._size - self._at)
        self._file.seek(self._first + self._at)
        block = self._file.read(left if size < 0 else min(size, left))
        self._at += len(block)
        return block

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_CUR: self._at, io.SEEK_END: self._size}.get(whence, 0)
        if at < 0:
            return -1
        self._at = at
        return at

    def tell(self) -> int:
        return self._at


def _open(source: Path | bytes, label: str) -> _File:
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
    return _File(file)


def _has_packed_header(file: BinaryIO) -> bool:
    tail = b""
    while block := file.read(2**20):
        # Looked for as it is first: a pattern takes ten times as long, and this reads all of a large file.
        if b"cmov" in (read := tail + block) and _PACKED_HEADER.search(read):
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


def _decode_parts(parts: Sequence[_Input], span: Span, label: str) -> Mono:
    """The span of parts that follow one another, at the sample rate of the first that is heard."""
    heard: list[Mono] = []
    before = 0.0
    for part in parts:
        within = Span(max(0.0, span.start - before), span.end - before)
        if len(parts) > 1 and within.end <= 0:
            # Only its duration is asked for.
            within = Span(0.0, 0.0)
        heard.append(mono := _decode_tracks(part, within, label))
        before += mono.duration if mono.complete or not len(mono.samples) else mono.last / mono.rate
    if len(heard) == 1:
        return heard[0]
    rate = next((mono.rate for mono in heard if len(mono.samples)), heard[0].rate)
    samples = np.concatenate([resample(mono.samples, mono.rate, rate) for mono in heard])
    first, last = span.samples(rate)
    return Mono(samples[: last - first], rate, first, first + len(samples) >= last, before)


def _decode_tracks(file: _Input, span: Span, label: str) -> Mono:
    """The span of the best sound track that is not silent throughout it; of the best, if all are."""
    tracks = _tracks(file, label)
    heard: Mono | None = None
    for track in tracks:
        mix = MixDown()
        mono = _decode(file, track, span, label, mix)
        if not file.late and (channel := mix.louder_channel()) is not None:
            mono = _decode(file, track, span, label, MixDown(channel))
        if heard is None or mono.samples.any():
            heard = mono
        if mono.samples.any():
            break
    assert heard is not None
    return replace(heard, tracks=len(tracks))


def _tracks(file: _Input, label: str) -> list[int]:
    """Indices of the streams of sound that can be decoded, the one a player would choose first."""
    with _opened(file) as container:
        best = container.streams.best("audio")
        found = [stream.index for stream in container.streams.audio if stream.codec_context is not None]
        if not isinstance(best, av.AudioStream) or best.codec_context is None:
            raise AudioError(f"{label} has no sound track that can be decoded.")
        return sorted(found, key=lambda index: index != best.index)


def _opened(file: _Input) -> InputContainer:
    file.seek(0)
    return av.open(file, mode="r", metadata_errors="ignore", options=_demuxer_options())


def _decode(file: _Input, track: int, span: Span, label: str, mix: MixDown, *, seek: bool = True) -> Mono:
    """Decode only the packets around the span, of the stream with the index `track`.

    Samples are counted from the clip's first one or, where packets were skipped, from the time stamp of the
    first one decoded. Where the container's stamps are the player's clock, they place every sample, and what
    is missing is silent. Where its duration is missing or a guess, it is read on to its end, undecoded.
    """
    with _opened(file) as container:
        stream = container.streams[track]
        assert isinstance(stream, av.AudioStream)
        rate = stream.rate
        check_format(label, rate, stream.channels)
        clock = _clock(container, stream)
        indexed = _is_indexed(container, stream)
        duration = _duration(container, stream, clock)
        if duration is not None and duration > MAX_FILE_SECONDS:
            raise AudioError(f"{label} claims to last longer than a day: it is probably damaged.")
        duration = duration if indexed else None

        decode_from = span.start - _PREROLL
        seek = seek and decode_from > 0 and duration is not None
        if seek:
            container.seek(round((decode_from + clock.origin) * av.time_base))
        timeline = _Timeline(mix, rate, *span.samples(rate), decode_from <= 0)
        convert = _Converter(rate)
        read = 0.0
        for packet in _packets(container, stream):
            packet_end = clock.seconds(packet.pts, packet.duration)
            read = max(read, packet_end)
            skip = timeline.position is None and packet.pts is not None and packet_end < decode_from
            if timeline.complete or skip:
                continue
            for frame in _frames(packet):
                check_format(label, frame.sample_rate, frame.layout.nb_channels)
                at = None if frame.pts is None else round(clock.seconds(frame.pts) * rate)
                if timeline.position is None and seek and (at or 0) > timeline.first:
                    return _decode(file, track, span, label, mix, seek=False)
                for block in convert(frame):
                    timeline.add(block, at if clock.stamped or timeline.position is None else None)
                    at = None
            if timeline.complete and duration is not None:
                break
        for block in convert(None):
            timeline.add(block, None)
        mono = Mono(
            mix.samples(rate), rate, timeline.first, timeline.complete, read if duration is None else duration
        )
        return _without_padding(mono, stream) if "w64" in _kinds(container) else mono


def _without_padding(mono: Mono, stream: av.AudioStream) -> Mono:
    """Without the silent samples that FFmpeg's own Wave64 files end in: it counts what fills eight bytes."""
    width = stream.channels * max(1, stream.codec_context.format.bytes)
    heard = np.flatnonzero(mono.samples)
    end = len(mono.samples) if not len(heard) else int(heard[-1]) + 1
    silent = len(mono.samples) - end
    ends_the_file = mono.last >= round(mono.duration * mono.rate)
    if not ends_the_file or not 0 < silent <= 7 // width:
        return mono
    return replace(mono, samples=mono.samples[:end], duration=mono.duration - silent / mono.rate)


@dataclass(frozen=True)
class _Clock:
    """A stream's time stamps: seconds of the one that is the clip's zero, and seconds a tick.

    stamped: they say when a sample is played; otherwise they only count.
    """

    origin: float
    tick: float
    stamped: bool

    def seconds(self, stamp: int | None, ticks: int | None = None) -> float:
        """Where in the clip `ticks` after `stamp` are; 0 if the stream has no stamps."""
        return 0.0 if stamp is None else (stamp + (ticks or 0)) * self.tick - self.origin


def _clock(container: InputContainer, stream: av.AudioStream) -> _Clock:
    tick = float(stream.time_base or 0)
    kinds = _kinds(container)
    stamped = bool(kinds & _STAMPED)
    begins = (stream.start_time or 0) * tick
    if not stamped or begins < 0:
        return _Clock(begins, tick, stamped)
    origin = begins if container.start_time is None else min(begins, container.start_time / av.time_base)
    from_zero = bool(kinds & _FROM_ZERO) and origin <= _LONGEST_GAP
    return _Clock(min(origin, 0.0) if from_zero else origin, tick, stamped)


class _Timeline:
    """Puts decoded blocks where they are played, with silence between them, and hands on the span.

    position: the clip's sample that comes next; None before the first block, if packets were skipped.
    """

    def __init__(self, mix: MixDown, rate: int, first: int, last: int, from_start: bool) -> None:
        self.first, self.last = first, last
        self.position: int | None = 0 if from_start else None
        self._mix = mix
        self._rate = rate
        self._set_back = 0  # samples that a clock was set forward

    @property
    def complete(self) -> bool:
        return self.position is not None and self.position >= self.last

    def add(self, block: np.ndarray, at: int | None) -> None:
        """block: [channels, samples]. at: the clip's sample at which its stamp puts it."""
        if self.position is None:
            self.position = min(self.first, at or 0)
        if at is not None:
            gap = at - self._set_back - self.position
            if abs(gap) > _LONGEST_GAP * self._rate or gap < -_JITTER * self._rate:
                self._set_back += gap
            elif gap > _JITTER * self._rate:
                self._put(np.zeros((1, max(0, min(gap, self.last - self.position))), np.float32))
                self.position = at - self._set_back
        self._put(block)

    def _put(self, block: np.ndarray) -> None:
        assert self.position is not None
        self._mix.add(block[:, max(0, self.first - self.position) : max(0, self.last - self.position)])
        self.position += block.shape[1]


class _Converter:
    """Frames as blocks [channels, samples] at one rate, also where a stream changes its own midway."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._form: tuple[int, str, str] | None = None
        self._resampler: av.AudioResampler | None = None

    def __call__(self, frame: av.AudioFrame | None) -> list[np.ndarray]:
        """Of None, what is left in the resampler."""
        form = None if frame is None else (frame.sample_rate, frame.layout.name, frame.format.name)
        blocks = []
        if form != self._form:
            if self._resampler is not None:
                blocks = [_planar(piece) for piece in self._resampler.resample(None)]
            self._resampler = None
            # NumPy has no name for FFmpeg's s64.
            if frame is not None and (frame.sample_rate != self._rate or frame.format.name.startswith("s64")):
                self._resampler = av.AudioResampler("dblp", frame.layout, self._rate)
            self._form = form
        if frame is None:
            return blocks
        pieces = [frame] if self._resampler is None else self._resampler.resample(frame)
        return blocks + [_planar(piece) for piece in pieces]


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


def _kinds(container: InputContainer) -> set[str]:
    return set(container.format.name.split(","))


def _is_indexed(container: InputContainer, stream: av.AudioStream) -> bool:
    """Whether duration and seeking follow the samples, not a byte rate that the container claims."""
    kinds = _kinds(container)
    if kinds & _PCM and stream.codec_context.name.startswith("pcm_"):
        context = stream.codec_context
        width = context.format.bytes if context.name.startswith("pcm_f") else None
        bits = int("".join(filter(str.isdigit, context.name)) or 8) if width is None else 8 * width
        return context.bit_rate == stream.rate * stream.channels * bits
    return bool(kinds & _INDEXED)


def _duration(container: InputContainer, stream: av.AudioStream, clock: _Clock) -> float | None:
    """Seconds from the clip's zero to the sound's end, if the container states it."""
    if stream.duration is not None and stream.time_base is not None:
        return (
            clock.seconds(stream.start_time or 0, stream.duration)
            if clock.stamped
            else (float(stream.duration * stream.time_base))
        )
    return None if container.duration is None else container.duration / av.time_base
