"""A tuned checkpoint and its parent are asked the same, and people compare the answers blind."""

import json
from pathlib import Path

import pytest

from storage.export.reader import Reader
from tests.shelf import alive
from tests.ui.blind import HELD, LEARNED, BlindApp, tiny_clip
from tests.ui.tuning import add_tuned
from usam.checkpoints.fingerprint import fingerprint
from usam.errors import RequestError


@pytest.fixture
def app(tmp_path: Path) -> BlindApp:
    return BlindApp(tmp_path)


def test_both_answer_what_was_asked_about_clips_that_nothing_was_learned_of(app: BlindApp) -> None:
    sources = {app.ask(seed) for seed in HELD[:2]}
    app.ask(LEARNED)
    app.ask(HELD[2], keep=False)
    app.run()
    made = app.pairs()
    assert {pair.source for pair in made} == sources
    assert alive(app.shelf) == 0, "the other model is gone"
    for pair in made:
        source, old, new = (app.studio.feedback.answer(id_) for id_ in (pair.source, pair.old, pair.new))
        assert old["model"]["fingerprint"] == app.tuned.parent
        assert new["model"]["fingerprint"] == fingerprint(app.tuned.folder)
        assert len({source["answer"], old["answer"], new["answer"]}) == 3
        assert old["heard"] == new["heard"] == source["heard"]
        assert (old["seed"], old["parent_id"]) == (new["seed"], pair.source)
    app.studio.tuned.add_promoted(app.tuned.name)
    app.run()
    assert app.pairs() == made, "nothing is asked twice"
    more = app.ask(HELD[2])
    app.run()
    assert {pair.source for pair in app.pairs()} == {*sources, more}


def test_a_copy_of_a_clip_that_is_learned_of_is_not_asked_about(
    app: BlindApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, other = (tiny_clip(seed).sha256 for seed in HELD[:2])
    app.ask(HELD[0])
    source = app.ask(HELD[1])
    learned = {copy: tiny_clip(LEARNED).sha256, other: other}
    monkeypatch.setattr(Reader, "first_copy", lambda self, sha256: learned[sha256])
    app.run()
    assert [pair.source for pair in app.pairs()] == [source]


def test_people_are_asked_until_it_is_decided(app: BlindApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.ask(HELD[0])
    trials = app.studio.blind_trials
    app.run()
    [pair] = app.pairs()
    assert trials.upcoming("me") == pair
    assert trials.upcoming("me", [pair]) is None
    app.studio.feedback.compare(pair.new, pair.old, "me", "a")
    assert trials.upcoming("me") is None
    trials.end(app.tuned.name)
    assert trials.upcoming("you") is None
    app.run()
    assert trials.upcoming("you") == pair, "it goes on with its votes"
    monkeypatch.setattr("storage.analysis.win_rate.LEAST_VOTES", 8)
    for number in range(8):
        app.studio.feedback.compare(pair.old, pair.new, f"person-{number}", "b")
    trial = trials.trial(app.tuned)
    assert trial is not None
    assert trials.win_rate(trial).decided
    assert trials.upcoming("you") is None


def test_the_same_answer_is_no_pair(app: BlindApp) -> None:
    alike = app.shelf.add("alike")
    (alike / "tuning.json").write_text(json.dumps({"parent": fingerprint(app.shelf.folder / "own")}))
    source = app.ask(HELD[0])
    app.run("alike")
    found = app.studio.tuned.get("alike")
    assert found is not None
    trial = app.studio.blind_trials.trial(found)
    assert trial is not None
    assert (trial.pairs, trial.same) == ((), (source,))


def test_what_cannot_be_compared_says_why(app: BlindApp) -> None:
    with pytest.raises(RequestError, match="Choose"):
        app.studio.blind_trials.start("")
    app.run()
    assert "nothing to ask" in app.studio.blind_trials.state.ended
    orphan = add_tuned(app.studio.tuned, parent="gone").name
    with pytest.raises(RequestError, match="not here any more"):
        app.studio.blind_trials.start(orphan)


def test_a_damaged_file_is_no_trial(app: BlindApp) -> None:
    for text in ("{", "[]", '{"pairs": [{"a": 1}], "same": [], "open": true}'):
        (app.tuned.folder / "blind.json").write_text(text)
        assert app.studio.blind_trials.trial(app.tuned) is None
        assert app.studio.blind_trials.upcoming("me") is None
