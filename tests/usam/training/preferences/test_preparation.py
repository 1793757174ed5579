"""What corrections are made into: they are learned by themselves, and other names are kept."""

from pathlib import Path

import pytest

from tests import tiny
from tests.usam.training.preferences.exports import clip, pair, write
from usam.model.model import USAM
from usam.training.preferences.judgements import PairItem
from usam.training.preferences.replay import imagined
from usam.training.preferences.rows import Preferences, read_preferences
from usam.training.preferences.settings import Settings
from usam.training.tuning_data import Preparation

SETTINGS = Settings()


@pytest.fixture(scope="module")
def model() -> USAM:
    return tiny.model(words=True)


def exported(folder: Path, evidence: list[str]) -> Preferences:
    folder.mkdir(parents=True)
    rows = [
        pair(clip(folder, number), "I hear a wolf.", "I hear a dog or a cat.", evidence=one)
        for number, one in enumerate(evidence)
    ]
    return read_preferences(write(folder / "export", rows))


def prepared(model: USAM, folder: Path, preferences: Preferences) -> Preparation:
    return Preparation(model, folder, SETTINGS, 40, 0, lambda message: None)


def test_a_correction_is_learned_by_itself_more_than_over_the_answer(model: USAM, tmp_path: Path) -> None:
    found = exported(tmp_path / "rows", ["comparison", "correction"])
    items: dict[str, PairItem] = {
        row.evidence: item for row, item in prepared(model, tmp_path / "work", found).pairs(found.pairs)
    }
    assert (items["comparison"].dpo, items["comparison"].sft) == (1.0, SETTINGS.sft)
    assert (items["correction"].dpo, items["correction"].sft) == (SETTINGS.over, SETTINGS.corrected)


@pytest.mark.parametrize("evidence", ["comparison", "correction"])
def test_how_others_are_named_is_replayed_where_people_only_correct(
    model: USAM, tmp_path: Path, evidence: str
) -> None:
    found = exported(tmp_path / "rows", [evidence] * 12)
    data = prepared(model, tmp_path / "work", found).all(found)
    questions = [model.prompts.text(item.completion.answer.tolist()) for item in data.replay]
    assert any(" or " in text for text in questions) == (evidence == "correction")


def test_imagined_clips_are_named_only_where_asked_for(model: USAM) -> None:
    plain, naming = (
        [model.prompts.text(one.answer.tolist()) for one in imagined(model, 60, 0, names)]
        for names in (False, True)
    )
    assert len(plain) == len(naming) == 60
    assert not any(" or " in answer for answer in plain)
    assert any(" or " in answer for answer in naming)
