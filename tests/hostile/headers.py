"""Files written byte by byte, so that their headers can say anything."""

import struct
from collections.abc import Sequence

HUGE = 2**32 - 1


def wav(
    data: bytes = bytes(8_000),
    *,
    tag: int = 1,
    channels: int = 1,
    rate: int = 16_000,
    bits: int = 16,
    align: int | None = None,
    claimed: int | None = None,
    chunks: Sequence[tuple[bytes, bytes]] = (),
) -> bytes:
    """A WAV file. `claimed` is the size that its data chunk claims; `chunks` stand before that."""
    block = min(channels * bits // 8, 2**16 - 1) if align is None else align
    form = struct.pack("<HHIIHH", tag, channels, rate, min(rate * block, HUGE), block, bits)
    body = b"".join(name + struct.pack("<I", len(text)) + text for name, text in [(b"fmt ", form), *chunks])
    body += b"data" + struct.pack("<I", len(data) if claimed is None else claimed) + data
    return b"RIFF" + struct.pack("<I", (4 + len(body)) if claimed is None else HUGE) + b"WAVE" + body


def flac_claiming(good: bytes, *, rate: int, channels: int, samples: int) -> bytes:
    """A FLAC file whose STREAMINFO claims another rate (Hz), number of channels, and length."""
    packed = struct.unpack(">Q", good[18:26])[0]
    bits = packed >> 36 & 0x1F
    packed = rate << 44 | (channels - 1) << 41 | bits << 36 | samples
    return good[:18] + struct.pack(">Q", packed) + good[26:]


def flac_with_picture(good: bytes, picture: bytes) -> bytes:
    """A FLAC file with cover art."""
    block = (
        struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">6I", 0, 1, 1, 24, 0, len(picture)) + picture
    )
    return good[:42] + b"\x06" + struct.pack(">I", len(block))[1:] + block + good[42:]


def id3(size: int, text: bytes = b"") -> bytes:
    """The head of an MP3 file: an ID3v2 tag that claims to be of `size` bytes."""
    return b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + text


def box(name: bytes, *parts: bytes) -> bytes:
    """An MP4 box."""
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def mp4(samples: int, *, rate: int = 16_000, chunk: int = 1, size: int = 1, channels: int = 1) -> bytes:
    """An MP4 file of one sound track whose tables claim `samples` of `size` bytes, `chunk` to a chunk."""
    entry = bytes(6) + struct.pack(">H", 1) + bytes(8)
    entry += struct.pack(">HHHHI", channels, 16, 0, 0, (rate << 16) & HUGE)
    tables = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), box(b"sowt", entry)),
        box(b"stts", struct.pack(">IIII", 0, 1, samples, 1)),
        box(b"stsc", struct.pack(">IIIII", 0, 1, 1, chunk, 1)),
        box(b"stsz", struct.pack(">III", 0, size, samples)),
        box(b"stco", struct.pack(">III", 0, 1, 48)),
    )
    media = box(
        b"mdia",
        box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, rate, samples, 0, 0)),
        box(b"hdlr", bytes(8), b"soun", bytes(13)),
        box(b"minf", box(b"smhd", bytes(8)), tables),
    )
    movie = box(b"moov", box(b"mvhd", bytes(100)), box(b"trak", box(b"tkhd", bytes(84)), media))
    return box(b"ftyp", b"M4A \0\0\0\0") + movie + box(b"mdat", bytes(8_000))


def packed_movie(packed: bytes, claimed: int) -> bytes:
    """A QuickTime file whose movie header is compressed and claims to be of `claimed` bytes."""
    header = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", claimed), packed))
    return box(b"ftyp", b"qt  \0\0\0\0") + box(b"moov", header)


def aiff(data: bytes = bytes(8_000), *, channels: int = 1, frames: int = 4_000, rate: bytes) -> bytes:
    """An AIFF file; `rate` is an 80-bit float."""
    form = struct.pack(">hIh", channels, frames, 16) + rate
    body = b"AIFF" + box_be(b"COMM", form) + box_be(b"SSND", bytes(8) + data)
    return box_be(b"FORM", body)


def box_be(name: bytes, body: bytes) -> bytes:
    """An IFF chunk."""
    return name + struct.pack(">I", len(body)) + body


def au(data: bytes, *, encoding: int, rate: int = 16_000, channels: int = 1, claimed: int = HUGE) -> bytes:
    """A Sun audio file; encodings 6 and 7 are 32 and 64-bit floats."""
    return struct.pack(">4s5I", b".snd", 24, claimed, encoding, rate, channels) + data


def ebml(name: int, body: bytes) -> bytes:
    """A Matroska element, its size in 8 bytes."""
    return name.to_bytes((name.bit_length() + 7) // 8) + (1 << 56 | len(body)).to_bytes(8) + body


def packed_matroska(block: bytes, blocks: int) -> bytes:
    """A Matroska file of PCM whose blocks are zlib-compressed, each the same."""
    packing = ebml(0x6D80, ebml(0x6240, ebml(0x5034, ebml(0x4254, b"\0"))))
    sound = ebml(0xE1, ebml(0xB5, struct.pack(">d", 16_000)) + ebml(0x9F, b"\1") + ebml(0x6264, b"\x10"))
    track = ebml(0xD7, b"\1") + ebml(0x73C5, b"\1") + ebml(0x83, b"\2") + ebml(0x86, b"A_PCM/INT/LIT")
    tracks = ebml(0x1654AE6B, ebml(0xAE, track + sound + packing))
    cluster = b"".join(
        ebml(0x1F43B675, ebml(0xE7, index.to_bytes(4)) + ebml(0xA3, b"\x81\0\0\x80" + block))
        for index in range(blocks)
    )
    head = ebml(0x1A45DFA3, ebml(0x4282, b"matroska"))
    return head + ebml(0x18538067, ebml(0x1549A966, ebml(0x2AD7B1, (10**6).to_bytes(4))) + tracks + cluster)
