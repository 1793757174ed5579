"""What corrections are made into: they are learned by themselves, and other names are kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.usam.training.preferences.exports import clip, pair, write
from usam.model.model import USAM
from usam.training.preferences.clips import Heard, RatedClips
from usam.training.preferences.judgements import PairItem
from usam.training.preferences.replay import imagined, own_answers
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
    return Preparation(model, folder, SETTINGS, 40, 4, 0, lambda message: None)


def test_a_correction_is_learned_by_itself_more_than_over_the_answer(model: USAM, tmp_path: Path) -> None:
    found = exported(tmp_path / "rows", ["comparison", "correction"])
    items: dict[str, PairItem] = {
        row.evidence: item for row, item in prepared(model, tmp_path / "work", found).pairs(found.pairs)
    }
    assert (items["comparison"].dpo, items["comparison"].sft) == (1.0, SETTINGS.sft)
    assert (items["correction"].dpo, items["correction"].sft) == (SETTINGS.over, SETTINGS.corrected)
    assert [items[name].corrects for name in ("comparison", "correction")] == [False, True]


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


def test_of_the_models_own_answers_those_that_name_several_things_are_not_replayed(
    model: USAM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(model: USAM, heard: Sequence[Heard], prompts: Sequence[Any], most: int) -> list[list[int]]:
        said = ("No, I hear a dog or a cat.", "No speech can be heard.")
        return [model.prompts.answer(said[index % 2]).tolist() for index in range(len(heard))]

    monkeypatch.setattr("usam.training.preferences.replay.answer_ids", answered)
    asked = [row.asked for row in exported(tmp_path / "rows", ["comparison"] * 4).rows]
    clips = RatedClips(tmp_path / "clips", model, "one")
    found = own_answers(model, clips, asked, tmp_path / "own", lambda message: None)
    texts = {model.prompts.text(one.answer.tolist(), control=False) for one in found}
    assert texts == {"No speech can be heard."}
