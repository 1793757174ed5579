"""95 % intervals: of a share, of a mean, and of any statistic by resampling."""

from collections.abc import Callable

import numpy as np

Z = 1.959964
RESAMPLES = 200

Interval = tuple[float, float]


def wilson(successes: float, trials: float) -> Interval:
    """Of a share; it stays within 0 and 1, and is all of that without trials."""
    if trials <= 0:
        return 0.0, 1.0
    share, z2 = successes / trials, Z * Z
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z / (1 + z2 / trials) * np.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return max(min(float(middle - half), share), 0.0), min(max(float(middle + half), share), 1.0)


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray], count: int, *, seed: int = 0, resamples: int = RESAMPLES
) -> np.ndarray:
    """Low and high ends [2, ...] of a statistic over `count` units drawn anew with replacement.

    statistic: of the indices [count] that were drawn; where it is nan the draw does not count.
    """
    draw = np.random.default_rng(seed)
    drawn = [statistic(draw.integers(0, count, count)) for _ in range(resamples)]
    return np.nanpercentile(np.array(drawn, dtype=float), [2.5, 97.5], axis=0)
