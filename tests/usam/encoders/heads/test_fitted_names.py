"""Names of the fitted head beside YAMNet's."""

import torch

from usam.encoders.heads.fitted_names import with_fitted
from usam.encoders.words import NameScores


def fitted(**scores: float) -> NameScores:
    """Names of music but for `rain`; a score is its probability."""
    names = tuple(name.replace("_", " ") for name in scores)
    kinds = tuple("sound" if name == "rain" else "music" for name in names)
    odds = torch.tensor([list(scores.values())]).clamp(1e-6, 1 - 1e-6)
    return NameScores(odds / (1 - odds), names, kinds, 1.0, slope=1.0, offset=0.0)


def said(names: dict[str, float], scores: NameScores, *kinds: str) -> list[str]:
    return [name for name, _ in with_fitted(list(names.items()), scores, kinds, 0.0, 1.0, 3)]  # type: ignore[arg-type]


def test_the_likeliest_come_first_and_none_says_less_than_one_before_it() -> None:
    scores = fitted(snare_drum=0.9, tom=0.32, cowbell=0.05)
    assert said({"drum": 0.3, "cymbal": 0.1}, scores, "music") == ["snare drum", "tom", "cymbal"]


def test_names_are_of_the_kinds_that_are_heard() -> None:
    scores = fitted(rain=0.9, tom=0.3)
    assert said({}, scores, "music") == ["tom"]
    assert said({}, scores, "sound") == ["rain"]


def test_behind_speech_a_name_has_to_be_surer() -> None:
    assert said({}, fitted(tom=0.2), "speech", "music") == []
    assert said({}, fitted(tom=0.3), "speech", "music") == ["tom"]
