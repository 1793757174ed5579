"""Hostile files by family: what a stranger may upload by mistake, by curiosity or on purpose.

The same files every time. None is kept: each is made when it is needed.
"""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from tests.hostile import headers
from tests.hostile.containers import CONTAINERS, good, png, silence

MUTANTS = 6
CUTS = (1, 4, 12, 44, 200)
"""Bytes, where headers begin and end."""
FORMULA = b"=cmd|' /C calc'!A0<img src=x onerror=alert(1)>"


@dataclass(frozen=True)
class Case:
    """One file: its family, the name it is uploaded under, its bytes, and whether it has to be heard or
    refused; None where either is right."""

    family: str
    name: str
    make: Callable[[], bytes]
    heard: bool | None = None


def corpus() -> list[Case]:
    """Every case; the names are all different."""
    families = (
        wav_headers, other_headers, long_clips, bombs, cut_off, mislabelled, not_sound, nothing, not_finite,
        polyglots, mutants,
    )  # fmt: skip
    return list(chain.from_iterable(family() for family in families))


def wav_headers() -> Iterator[Case]:
    def case(name: str, heard: bool | None = None, **fields: int) -> Case:
        return Case("wav headers", f"{name}.wav", partial(headers.wav, **fields), heard)  # type: ignore[arg-type]

    for rate in (0, 1, 999, 384_001, 1_000_000, 2**31, 2**32 - 1):
        yield case(f"{rate}-hz", heard=False, rate=rate)
    for channels in (0, 65, 255, 1_000, 65_535):
        yield case(f"{channels}-channels", heard=False, channels=channels)
    for channels, rate in ((2, 384_000), (64, 1_000), (64, 16_000), (64, 384_000)):
        size = 2 * channels * rate // 4
        sound = partial(headers.wav, bytes(size), channels=channels, rate=rate)
        yield Case("wav headers", f"{channels}-channels-{rate}-hz.wav", sound, heard=True)
    for bits in (0, 1, 3, 7, 17, 255, 65_535):
        yield case(f"{bits}-bits", bits=bits)
    for align in (0, 1, 3, 65_535):
        yield case(f"align-{align}", align=align)
    for tag in (0, 2, 3, 6, 7, 0x11, 0x16, 0x31, 0x45, 0x50, 0x55, 0x64, 0xFF, 0x160, 0x161, 0x162, 0x2000):
        yield case(f"tag-{tag:x}", tag=tag)
    for tag in (0x2001, 0x5756, 0x566F, 0x674F, 0xA106, 0xF1AC, 0xFFFE, 0xFFFF):
        yield case(f"tag-{tag:x}", tag=tag)
    for claimed in (0, 1, 7_999, 8_001, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1):
        yield case(f"claims-{claimed}-bytes", claimed=claimed)
    for name in (b"LIST", b"fact", b"smpl", b"cue ", b"bext", b"iXML", b"id3 ", b"ds64", b"JUNK", b"data"):
        for body in (b"", bytes(3), b"\xff" * 4_000):
            label = f"{name.decode().strip()}-{len(body)}.wav"
            yield Case("wav headers", f"chunk-{label}", partial(headers.wav, chunks=[(name, body)]))


def other_headers() -> Iterator[Case]:
    for rate, channels, samples in (
        (0, 1, 0), (1, 8, 2**36 - 1), (48_000, 8, 2**36 - 1), (655_350, 1, 1), (1_048_575, 8, 48_000),
        (48_000, 1, 48_000 * 36_000),
    ):  # fmt: skip
        claim = partial(flac_claiming, rate=rate, channels=channels, samples=samples)
        yield Case("headers", f"claims-{rate}-{channels}-{samples}.flac", claim)
    for samples in (0, 1, 2**24, 2**31 - 1, 2**32 - 1):
        for chunk in (1, 2**16, 2**31 - 1):
            for size in (0, 1, 2**31 - 1):
                table = partial(headers.mp4, samples, chunk=chunk, size=size)
                yield Case("headers", f"tables-{samples}-{chunk}-{size}.m4a", table)
    for channels, rate in ((0, 16_000), (65, 16_000), (65_535, 16_000), (1, 0), (1, 65_535)):
        table = partial(headers.mp4, 4_000, channels=channels, rate=rate)
        yield Case("headers", f"track-{channels}-{rate}.m4a", table)
    for name, rate in (
        ("zero", bytes(10)), ("nan", b"\x7f\xff\xc0" + bytes(7)), ("inf", b"\x7f\xff\x80" + bytes(7)),
        ("negative", b"\xc0\x0c\xfa" + bytes(7)), ("huge", b"\x7f\xfe\xff" + b"\xff" * 7),
    ):  # fmt: skip
        yield Case("headers", f"rate-{name}.aiff", partial(headers.aiff, rate=rate), heard=False)
    usual = b"\x40\x0c\xfa" + bytes(7)
    for channels, frames in ((0, 1), (-1, 1), (65, 100), (1, 2**32 - 1), (32_767, 2**31)):
        sound = partial(headers.aiff, rate=usual, channels=channels, frames=frames)
        yield Case("headers", f"claims-{channels}-{frames}.aiff", sound)
    for encoding in (0, 1, 2, 3, 5, 23, 27, 255):
        sound = partial(headers.au, bytes(8_000), encoding=encoding)
        yield Case("headers", f"encoding-{encoding}.au", sound)
    for size in (0, 1, 10_000, 2**28 - 1):
        yield Case("headers", f"tag-of-{size}.mp3", partial(tagged, size))


def long_clips() -> Iterator[Case]:
    hours = 10
    frames = partial(silence, "mp3", "libmp3lame", 8_000, 60.0)
    yield Case("long", "10-hours.flac", partial(silence, "flac", "flac", 1_000, hours * 3600.0), heard=True)
    yield Case("long", "10-hours.mp3", lambda: frames() * (hours * 60), heard=True)
    adts = partial(silence, "adts", "aac", 8_000, 60.0)
    yield Case("long", "10-hours.aac", lambda: adts() * (hours * 60), heard=True)
    quiet = partial(headers.wav, b"\x80" * (hours * 3600 * 1_000), bits=8, rate=1_000)
    yield Case("long", "10-hours.wav", quiet, heard=True)
    chained = partial(silence, "ogg", "libopus", 48_000, 60.0)
    yield Case("long", "10-hours-chained.ogg", lambda: chained() * (hours * 60))
    week = partial(headers.wav, b"\x80" * (25 * 3600 * 1_000), bits=8, rate=1_000)
    yield Case("long", "25-hours.wav", week, heard=False)


def bombs() -> Iterator[Case]:
    for side in (1_000, 10_000, 16_000):
        cover = partial(covered, side)
        yield Case("bombs", f"cover-{side}.flac", cover, heard=True)
        yield Case("bombs", f"picture-{side}.png", partial(png, side, side), heard=False)
    for megabytes in (10, 300, 1_500):
        yield Case("bombs", f"packed-movie-{megabytes}.mov", partial(packed_movie, megabytes), heard=False)
    for megabytes in (1, 8, 64):
        yield Case("bombs", f"packed-blocks-{megabytes}.mka", partial(packed_blocks, megabytes))
    yield Case("bombs", "bomb.zip", zip_bomb, heard=False)
    yield Case("bombs", "bomb-named.wav", zip_bomb, heard=False)
    yield Case("bombs", "bomb.wav.gz", lambda: gzip.compress(headers.wav(bytes(50 * 2**20))), heard=False)
    yield Case("bombs", "many-chunks.wav", lambda: headers.wav(chunks=[(b"JUNK", b"")] * 500_000), heard=True)
    yield Case("bombs", "nested.mp4", lambda: nested(20_000))
    yield Case("bombs", "many-tags.mp3", lambda: headers.id3(10, bytes(10)) * 100_000 + good("mp3"))
    comments = b"ICMT\xff\xff\xff\xff" + b"A" * (20 * 2**20)
    long_comment = partial(headers.wav, chunks=[(b"LIST", b"INFO" + comments)])
    yield Case("bombs", "long-comment.wav", long_comment)


def cut_off() -> Iterator[Case]:
    for kind in CONTAINERS:
        for cut in CUTS:
            yield Case("cut off", f"cut-{cut}.{kind}", lambda kind=kind, cut=cut: good(kind)[:cut])  # type: ignore[misc]
        for percent in (10, 50, 99):
            cut_at = partial(share, kind, percent)
            yield Case("cut off", f"cut-{percent}-percent.{kind}", cut_at)
        yield Case("cut off", f"no-head.{kind}", lambda kind=kind: good(kind)[100:])  # type: ignore[misc]


def mislabelled() -> Iterator[Case]:
    names = ("clip.exe", "clip.txt", "clip", ".wav", "clip.html", "clip.wav.php", "..mp3", "clip.jpg")
    for kind, name in zip(CONTAINERS, names * 5, strict=False):
        yield Case("mislabelled", f"{kind} as {name}", partial(good, kind), heard=True)


def not_sound() -> Iterator[Case]:
    playlist = "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    texts = {
        "list.m3u8": playlist,
        "list.wav": playlist,
        "remote.m3u8": playlist.replace("file:///etc/passwd", "http://127.0.0.1:1/a.wav"),
        "list.txt": "ffconcat version 1.0\nfile /etc/passwd\n",
        "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        "movie.mpd": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><Period/></MPD>",
        "picture.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "entities.xml": "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        "page.html": "<html><script>alert(1)</script></html>",
        "words.srt": "1\n00:00:00,000 --> 00:00:05,000\nHello\n",
        "words.ass": "[Script Info]\n[Events]\nDialogue: 0,0:00:00.00,0:00:05.00,Default,,0,0,0,,Hi\n",
        "script.sh": "#!/bin/sh\nrm -rf /\n",
        "notes.txt": "just some text\n" * 1_000,
        "table.csv": "a,b\n=1+1,2\n" * 100,
        "tags.ffmetadata": ";FFMETADATA1\ntitle=x\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=9\n",
    }
    for name, text in texts.items():
        yield Case("not sound", name, text.encode, heard=False)
    magic = {
        "a.pdf": b"%PDF-1.7\n", "a.elf": b"\x7fELF\2\1\1", "a.db": b"SQLite format 3\0",
        "a.gz": b"\x1f\x8b\x08", "a.bz2": b"BZh91AY&SY", "a.7z": b"7z\xbc\xaf", "a.rar": b"Rar!\x1a\7\1\0",
        "a.gif": b"GIF89a\xff\xff\xff\xff\0\0\0", "a.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF",
        "a.mid": b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0", "a.ttf": b"\0\1\0\0\0\x0c",
        "a.pickle": b"\x80\x04cos\nsystem\n(S'id'\ntR.", "a.class": b"\xca\xfe\xba\xbe",
        "a.safetensors": struct.pack("<Q", 2**60) + b"{",
    }  # fmt: skip
    for name, start in magic.items():
        yield Case("not sound", name, partial(padded, start), heard=False)


def nothing() -> Iterator[Case]:
    for size in (0, 1, 2, 16, 4_096, 10**6):
        yield Case("nothing", f"{size}-zeros.wav", partial(bytes, size), heard=False)
        yield Case("nothing", f"{size}-ones.mp3", lambda size=size: b"\xff" * size)  # type: ignore[misc]
    for kind in CONTAINERS:
        start = partial(noise_after, kind)
        yield Case("nothing", f"noise-after-the-head.{kind}", start)
    for samples in (0, 1, 1_599):
        yield Case("nothing", f"{samples}-samples.wav", partial(headers.wav, bytes(2 * samples)), heard=False)


def not_finite() -> Iterator[Case]:
    values = {
        "nan": np.nan, "inf": np.inf, "minus-inf": -np.inf, "huge": 3e38, "minus-huge": -3e38,
        "denormal": 1e-45, "large": 1e4, "double": 1e300,
    }  # fmt: skip
    for name, value in values.items():
        heard = name in ("denormal", "large")
        for where, part in (("all", slice(None)), ("one", slice(2_000, 2_001)), ("last", slice(-1, None))):
            for bits, kind in ((32, "<f4"), (64, "<f8")):
                if bits == 32 and name == "double":
                    continue
                # Beyond float32 by itself, or when many are summed up; either is an answer.
                expected = None if "huge" in name else heard
                sound = partial(floats, kind, value, part)
                wav = lambda sound=sound, bits=bits: headers.wav(sound(), tag=3, bits=bits)  # type: ignore[misc] # noqa: E731
                yield Case("not finite", f"{name}-{where}-{bits}.wav", wav, expected)
        big = partial(floats, ">f8", value, slice(None))
        yield Case("not finite", f"{name}.au", lambda big=big: headers.au(big(), encoding=7))  # type: ignore[misc]


def polyglots() -> Iterator[Case]:
    sound = partial(good, "wav")
    page = b"<html><script>alert(1)</script></html>"
    yield Case("polyglots", "sound-and-zip.wav", lambda: sound() + zip_bomb(), heard=True)
    yield Case("polyglots", "pdf-and-sound.wav", lambda: b"%PDF-1.7\n" + sound(), heard=False)
    yield Case("polyglots", "page-and-sound.html", lambda: page + good("mp3"))
    yield Case("polyglots", "sound-and-page.wav", lambda: sound() + page, heard=True)
    yield Case("polyglots", "page-in-tag.mp3", lambda: headers.id3(len(page), page) + good("mp3"))
    yield Case("polyglots", "script-in-chunk.wav", lambda: headers.wav(chunks=[(b"JUNK", page)]), heard=True)
    info = b"INFOINAM" + struct.pack("<I", len(FORMULA)) + FORMULA
    yield Case("polyglots", "formula-in-title.wav", lambda: headers.wav(chunks=[(b"LIST", info)]), heard=True)
    yield Case("polyglots", "gif-and-sound.gif", lambda: b"GIF89a\1\0\1\0\0\0\0;" + sound(), heard=False)
    for kind in ("flac", "opus", "mp3", "aac", "m4a", "webm"):
        pair = lambda kind=kind: sound() + good(kind)  # type: ignore[misc] # noqa: E731
        yield Case("polyglots", f"wav-then-{kind}", pair, heard=True)
        yield Case("polyglots", f"{kind}-then-wav", lambda kind=kind: good(kind) + sound(), heard=True)  # type: ignore[misc]


def mutants() -> Iterator[Case]:
    for kind in CONTAINERS:
        for seed in range(MUTANTS):
            yield Case("mutants", f"mutant-{seed}.{kind}", partial(mutant, kind, seed))


def mutant(kind: str, seed: int) -> bytes:
    """Every other time the head is spoilt, otherwise bytes, runs and whole pieces anywhere."""
    random = np.random.default_rng([seed, *kind.encode()])
    data = np.frombuffer(good(kind), np.uint8).copy()
    reach = min(len(data), 256) if seed % 2 else len(data)
    for _ in range(int(random.integers(1, 30))):
        at = int(random.integers(reach))
        data[at : at + int(random.choice([1, 1, 1, 4, 64]))] = random.integers(256)
    if seed % 3 == 2:
        begin, end = sorted(random.integers(len(data), size=2))
        data = np.concatenate([data[:end], data[begin:]])
    return data.tobytes()


def share(kind: str, percent: int) -> bytes:
    data = good(kind)
    return data[: len(data) * percent // 100]


def noise_after(kind: str) -> bytes:
    return good(kind)[:64] + np.random.default_rng(len(kind)).bytes(30_000)


def flac_claiming(*, rate: int, channels: int, samples: int) -> bytes:
    return headers.flac_claiming(good("flac"), rate=rate, channels=channels, samples=samples)


def tagged(size: int) -> bytes:
    return headers.id3(size, bytes(min(size, 20_000))) + good("mp3")


def covered(side: int) -> bytes:
    return headers.flac_with_picture(good("flac"), png(side, side))


def packed(megabytes: int) -> bytes:
    """That many zeros, a thousand times smaller."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def packed_movie(megabytes: int) -> bytes:
    return headers.packed_movie(packed(megabytes), megabytes * 2**20)


def packed_blocks(megabytes: int) -> bytes:
    return headers.packed_matroska(packed(megabytes), 50)


def nested(depth: int) -> bytes:
    """An MP4 file of boxes within boxes."""
    size = 8 * depth
    boxes = b"".join(struct.pack(">I", size - 8 * level) + b"moov" for level in range(depth))
    return headers.box(b"ftyp", b"M4A \0\0\0\0") + boxes


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for index in range(3):
            archive.writestr(f"{index}.wav", bytes(30 * 2**20))
    return buffer.getvalue()


def padded(start: bytes) -> bytes:
    return start + np.random.default_rng(len(start)).bytes(20_000)


def floats(kind: str, value: float, part: slice) -> bytes:
    """4000 quiet samples, those of `part` replaced."""
    samples = np.full(4_000, 0.01, kind)
    samples[part] = value
    return samples.tobytes()
