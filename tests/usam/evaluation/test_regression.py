"""Which figures of the public evaluation count as a fall."""

from typing import Any

from usam.evaluation.regression import falls


def figure(value: float, low: float, high: float, **more: float) -> dict[str, Any]:
    return {"value": value, "interval": [low, high], "clips": 20, **more}


def test_a_figure_falls_where_it_is_worse_than_all_of_the_parents_interval() -> None:
    parent = {
        "transcription": figure(0.2, 0.1, 0.3, cer=0.1),
        "sound named": figure(0.5, 0.4, 0.6),
        "instrument named": figure(0.5, 0.49, 0.51),
        "caption": figure(0.9, 0.8, 1.0),
    }
    worse = {
        "transcription": figure(0.31, 0.2, 0.4, cer=0.2),
        "sound named": figure(0.39, 0.3, 0.5),
        "instrument named": figure(0.485, 0.4, 0.5),  # too little to matter
        "caption": figure(0.1, 0.0, 0.2),  # says how it is described, which people may prefer otherwise
    }
    assert [entry.split(" from")[0] for entry in falls(parent, worse)] == ["transcription", "sound named"]
    better = {"transcription": figure(0.05, 0.0, 0.1, cer=0.0), "sound named": figure(0.9, 0.8, 1.0)}
    assert falls(parent, better) == []
    assert falls(parent, parent) == []
