"""How loud a clip is over all its length, for a picture of it."""

from pathlib import Path

import numpy as np

from usam.audio.ffmpeg import decode_packets

MOST_PARTS = 4096
FINEST = 0.05
"""Seconds of a part, at least."""
MOST_DECODED = 600.0
"""Seconds; of a longer clip, the beginning of each part, some six packets of an MP3 file of three hours: with
only the first few after a gap, which build on those before, it is silent."""
_LOUD = 0.995
"""The share of parts below full height. The few above may be as wild as one damaged sample."""


def envelope(source: Path, duration: float, fine_up_to: float = 0.0) -> np.ndarray:
    """uint8 [parts]: the highest level in each of equal parts of a clip of `duration` s, 255 for a loud one.

    Of a clip of hours only a sample is decoded, so this costs little more than reading the file. fine_up_to:
    seconds up to which all of a clip is decoded instead, for a picture that can be zoomed into. Raises
    AudioError as `load_clip` does.
    """
    finest = max(1, int(np.ceil(duration / FINEST)))
    fine = duration <= fine_up_to
    count = finest if fine else min(MOST_PARTS, finest)
    length = duration / count
    decoded = np.zeros(count)

    def wanted(begins: float, seconds: float) -> bool:
        part = min(max(int(begins / length), 0), count - 1)
        decoded[part] += seconds
        return fine or bool(decoded[part] - seconds < MOST_DECODED / count)

    peaks = np.zeros(count, np.float32)
    for begins, rate, samples in decode_packets(source, wanted, source.name):
        level = np.nan_to_num(np.abs(_centred(samples)).max(axis=0), posinf=0.0)
        end = begins + len(level) / rate
        first, last = (min(max(int(time / length), 0), count - 1) for time in (begins, end))
        for part in range(first, last + 1):
            cut = [round((edge * length - begins) * rate) for edge in (part, part + 1)]
            within = level[max(cut[0], 0) : max(cut[1], 0)]
            if len(within):
                peaks[part] = max(peaks[part], within.max())
    top = float(np.quantile(peaks, _LOUD)) or float(peaks.max()) or 1.0
    return np.clip(np.rint(peaks * (255 / top)), 0, 255).astype(np.uint8)


def _centred(samples: np.ndarray) -> np.ndarray:
    """As float32, silence at 0."""
    return samples.astype(np.float32) - (128.0 if samples.dtype == np.uint8 else 0.0)
