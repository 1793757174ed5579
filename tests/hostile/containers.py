"""Good files to spoil: the example clips in every container PyAV can write, and a picture of any size."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import av
import numpy as np

EXAMPLES = sorted((Path(__file__).parents[2] / "ui" / "examples").glob("*.ogg"))

# extension: (container, codec, rate in Hz)
CONTAINERS: dict[str, tuple[str, str, int]] = {
    "wav": ("wav", "pcm_s16le", 44_100),
    "float.wav": ("wav", "pcm_f32le", 48_000),
    "ima.wav": ("wav", "adpcm_ima_wav", 22_050),
    "ms.wav": ("wav", "adpcm_ms", 22_050),
    "mulaw.wav": ("wav", "pcm_mulaw", 8_000),
    "w64": ("w64", "pcm_s24le", 48_000),
    "aiff": ("aiff", "pcm_s16be", 44_100),
    "au": ("au", "pcm_s16be", 16_000),
    "alac.caf": ("caf", "alac", 48_000),
    "double.caf": ("caf", "pcm_f64le", 32_000),
    "flac": ("flac", "flac", 48_000),
    "flac.ogg": ("ogg", "flac", 48_000),
    "opus": ("ogg", "libopus", 48_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "mp2": ("mp2", "mp2", 44_100),
    "aac": ("adts", "aac", 48_000),
    "m4a": ("ipod", "aac", 44_100),
    "mp4": ("mp4", "aac", 48_000),
    "mov": ("mov", "pcm_s16le", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "mka": ("matroska", "flac", 48_000),
    "avi": ("avi", "libmp3lame", 44_100),
    "flv": ("flv", "libmp3lame", 44_100),
    "ts": ("mpegts", "aac", 48_000),
    "mpg": ("mpeg", "mp2", 44_100),
    "ac3": ("ac3", "ac3", 48_000),
    "tta": ("tta", "tta", 44_100),
    "wv": ("wv", "wavpack", 44_100),
    "amr": ("amr", "libopencore_amrnb", 8_000),
    "nut": ("nut", "pcm_s16le", 48_000),
    "voc": ("voc", "pcm_u8", 22_050),
    "gxf": ("gxf", "pcm_s16le", 48_000),
    "rm": ("rm", "ac3", 48_000),
    "sox": ("sox", "pcm_s32le", 48_000),
    "adx": ("adx", "adpcm_adx", 44_100),
}
SECONDS = 1.0


@cache
def good(kind: str) -> bytes:
    """About a second of one of the example clips, mono, in the container of that name."""
    container, codec, rate = CONTAINERS[kind]
    source = EXAMPLES[sorted(CONTAINERS).index(kind) % len(EXAMPLES)]
    buffer = io.BytesIO()
    with av.open(source) as clip, av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(stream.codec_context.format, "mono", rate)
        written = 0
        for frame in clip.decode(audio=0):
            for piece in resampler.resample(frame):
                output.mux(stream.encode(piece))
                written += piece.samples
            if written >= SECONDS * rate:
                break
        output.mux(stream.encode(None))
    return buffer.getvalue()


@cache
def silence(container: str, codec: str, rate: int, seconds: float) -> bytes:
    """Encoded silence, mono."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        left = round(seconds * rate)
        while left > 0:
            size = min(left, 60 * rate)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, size), np.float32), format="fltp", layout="mono")
            frame.sample_rate = rate
            output.mux(stream.encode(frame))
            left -= size
        output.mux(stream.encode(None))
    return buffer.getvalue()


@cache
def png(width: int, height: int) -> bytes:
    """A black picture: a thousand times smaller packed than unpacked."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * width)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
