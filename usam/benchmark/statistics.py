"""Statistics over the rounds of a benchmark."""

import statistics


def ratio(some: list[float], others: list[float]) -> float:
    """The median of the rounds' ratios."""
    return median([one / other for one, other in zip(some, others, strict=True)])


def median(values: list[float]) -> float:
    return round(statistics.median(values), 3)
