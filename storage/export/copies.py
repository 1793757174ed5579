"""Which clips are copies of others: the same sound in another format, at another rate or loudness."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

MOST_DIFFERENT = 40
"""Bits of 256. Copies by common codecs differ in up to 30, other clips in 67 and more, most in about half."""
MOST_IN_BUCKET = 32
"""Clips that one is compared with for each of its bands, so that many with one in common cost no square."""
_BAND = 16  # bits
_LONGER = 0.1, 0.01  # s, and share of the length: what codecs add


def first_copies(clips: Iterable[tuple[str, float, str]]) -> dict[str, str]:
    """Of clips (name, length in s, fingerprint of 64 hex digits) that are copies of an earlier one, the name
    of that by their own. What comes later changes nothing for those before it.

    Only clips with a band of their fingerprints in common are compared, so a copy that differs much may be
    missed.
    """
    firsts: defaultdict[tuple[int, int], list[tuple[str, float, int]]] = defaultdict(list)
    found: dict[str, str] = {}
    for name, seconds, fingerprint in clips:
        clip = name, seconds, int(fingerprint, 16)
        buckets = [firsts[key] for key in enumerate(_bands(clip[2]))]
        first = next((one for bucket in buckets for one in bucket if _alike(one, clip)), None)
        if first:
            found[name] = first[0]
            continue
        for bucket in buckets:
            if len(bucket) < MOST_IN_BUCKET:
                bucket.append(clip)
    return found


def _bands(bits: int) -> Iterator[int]:
    for shift in range(0, 256, _BAND):
        yield bits >> shift & (1 << _BAND) - 1


def _alike(one: tuple[str, float, int], other: tuple[str, float, int]) -> bool:
    lengths = sorted((one[1], other[1]))
    longer = _LONGER[0] + _LONGER[1] * lengths[1]
    return lengths[1] - lengths[0] <= longer and (one[2] ^ other[2]).bit_count() <= MOST_DIFFERENT
