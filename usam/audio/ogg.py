"""Ogg files that are several files one after another, each with a format of its own."""

from typing import Protocol

_HEADER = 27  # bytes of a page before its table of segments
_BEGINS = 2  # flag of a stream's first page


class _Readable(Protocol):
    def read(self, size: int) -> bytes: ...
    def seek(self, offset: int, whence: int = 0) -> int: ...


def links(file: _Readable) -> list[tuple[int, int | None]]:
    """First byte and end of each link of a chained Ogg file; of any other file, the whole: (0, None).

    FFmpeg gives up where a link has another sample rate, and counts the duration of one link alone.
    """
    starts: list[int] = []
    offset = 0
    beginning = False
    file.seek(0)
    while (header := file.read(_HEADER))[:4] == b"OggS" and len(header) == _HEADER:
        if bool(header[5] & _BEGINS) and not beginning:
            starts.append(offset)
        beginning = bool(header[5] & _BEGINS)
        offset += _HEADER + header[26] + sum(file.read(header[26]))
        file.seek(offset)
    if len(starts) < 2:
        return [(0, None)]
    return list(zip(starts, [*starts[1:], None], strict=True))
