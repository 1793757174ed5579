"""From one sample rate to another."""

import av
import numpy as np

from usam.audio.samples import SAMPLE_RATE


def resample(samples: np.ndarray, rate: int, wanted: int = SAMPLE_RATE) -> np.ndarray:
    """[samples] at `rate` to float32 [round(samples * wanted / rate)] at `wanted` Hz.

    FFmpeg's resampler takes any pair of rates. torchaudio's tabulates one filter for every phase, gigabytes
    for 44101 and 16000 Hz, and lets more of what lies above 8 kHz fold back.
    """
    if rate == wanted or not len(samples):
        return samples
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler("flt", "mono", wanted)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    wave = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    length = round(len(samples) * wanted / rate)
    return np.pad(wave, (0, max(0, length - len(wave))))[:length]
