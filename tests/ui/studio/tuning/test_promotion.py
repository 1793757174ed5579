"""A tuned checkpoint answers in the place of the one before, now and after a restart, and goes back."""

import threading
from pathlib import Path
from uuid import uuid4

import pytest

from storage.files import open_files
from tests import tiny
from tests.shelf import Shelf
from tests.ui.tuning import add_tuned
from ui.engines.loader import EngineLoader
from ui.engines.pool import EnginePool
from ui.studio.tuning.promotion import Promotion
from ui.studio.tuning.shared_checkpoints import SharedCheckpoints
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoints
from usam.engine.engine import Engine
from usam.errors import RequestError, UsamError, WeightsError
from usam.progress import ProgressCallback
from usam.schema.answer import Answer


@pytest.fixture
def tuned(tmp_path: Path) -> TunedCheckpoints:
    return TunedCheckpoints(tmp_path, "mini")


@pytest.fixture
def promotion(tmp_path: Path, tuned: TunedCheckpoints) -> Promotion:
    """Of an app that has loaded the preset's own checkpoint, with tiny models."""
    shelf = Shelf(tuned.folder)
    own = tiny.engine(Shelf(tmp_path / "bundled").add("mini"))
    loader = EngineLoader(lambda progress: own)
    for _ in loader.wait(threading.Event()):
        pass
    return Promotion(loader, EnginePool(loader, [tuned.folder], shelf.load), tuned)


def quiet(message: str, share: float) -> None:
    """Progress that nobody watches."""


def answering(promotion: Promotion) -> str:
    return promotion.loader.engine.checkpoint.name


def test_what_was_promoted_answers_and_is_taken_back(promotion: Promotion, tuned: TunedCheckpoints) -> None:
    first, second = add_tuned(tuned), add_tuned(tuned)
    for folder in (first, second):
        promotion.promote(folder.name, quiet)
        assert answering(promotion) == folder.name
        assert TunedCheckpoints(tuned.folder.parent, "mini").serving() == folder, "at the next start"
    assert promotion.roll_back(quiet) == first.name
    assert (answering(promotion), tuned.serving()) == (first.name, first)
    assert promotion.roll_back(quiet) == "mini"
    assert (answering(promotion), tuned.serving()) == ("mini", None)
    with pytest.raises(RequestError, match="Nothing was promoted"):
        promotion.roll_back(quiet)


def test_an_answer_under_way_ends_on_the_checkpoint_it_began_on(
    promotion: Promotion, tuned: TunedCheckpoints
) -> None:
    old = promotion.loader.engine.model_info
    events = promotion.loader.engine.stream(tiny.clip(0.4), "What?", max_new_tokens=3)
    next(events)
    promotion.promote(add_tuned(tuned).name, quiet)
    *_, answer = events
    assert isinstance(answer, Answer)
    assert answer.model == old
    new = promotion.loader.engine.ask(tiny.clip(0.4), "What?", max_new_tokens=3)
    assert new.model.fingerprint != old.fingerprint, "the answer says which one gave it"


def test_a_refused_one_is_promoted_only_by_intent(promotion: Promotion, tuned: TunedCheckpoints) -> None:
    name = add_tuned(tuned, refused="It fell.").name
    with pytest.raises(RequestError, match=r"refused\. It fell\."):
        promotion.promote(name, quiet)
    assert (answering(promotion), tuned.serving()) == ("mini", None)
    promotion.promote(name, quiet, refused=True)
    assert answering(promotion) == name
    with pytest.raises(RequestError, match="answers already"):
        promotion.promote(name, quiet, refused=True)


def test_one_that_cannot_be_loaded_changes_nothing(
    promotion: Promotion, tuned: TunedCheckpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path, progress: ProgressCallback) -> None:
        raise WeightsError("It is damaged.")

    name = add_tuned(tuned).name
    monkeypatch.setattr(promotion.pool, "replace_own", fail)
    with pytest.raises(WeightsError):
        promotion.promote(name, quiet)
    assert (answering(promotion), tuned.serving()) == ("mini", None)


def test_a_promoted_one_that_fails_to_load_at_the_start_is_rolled_back(
    promotion: Promotion, tuned: TunedCheckpoints
) -> None:
    own = promotion.loader.engine

    def load(progress: ProgressCallback) -> Engine:
        if tuned.serving():
            raise WeightsError("It is damaged.")
        return own

    tuned.add_promoted(add_tuned(tuned).name)
    loader = EngineLoader(load)
    loader.start()
    loader.join()
    assert loader.state.error
    Promotion(loader, EnginePool(loader), tuned).roll_back(quiet)
    loader.join()
    assert loader.engine is own


def test_with_another_language_model_nothing_is_promoted(
    promotion: Promotion, tuned: TunedCheckpoints
) -> None:
    promotion.llm = "owner/other"
    with pytest.raises(RequestError, match="USAM_LLM"):
        promotion.promote(add_tuned(tuned).name, quiet)
    assert answering(promotion) == "mini"


def test_what_was_promoted_for_another_preset_or_is_gone_does_not_count(tuned: TunedCheckpoints) -> None:
    folder = add_tuned(tuned)
    tuned.add_promoted(folder.name)
    assert TunedCheckpoints(tuned.folder.parent, "large").serving() is None
    (folder / "config.json").unlink()
    assert tuned.serving() is None


@pytest.mark.parametrize("text", ["", "{}", '{"promoted": [1]}', '{"promoted": 3}', "[]"])
def test_a_damaged_choice_is_reported_not_guessed(tuned: TunedCheckpoints, text: str) -> None:
    tuned.file.write_text(text)
    with pytest.raises(UsamError, match=tuned.file.name):
        tuned.serving()


def test_unfinished_and_unreadable_checkpoints_are_not_offered(
    promotion: Promotion, tuned: TunedCheckpoints
) -> None:
    whole, part, damaged = (add_tuned(tuned) for _ in range(3))
    part.rename(part.with_suffix(".part"))
    (damaged / "tuning.json").write_text("{")
    assert [one.name for one in tuned.all()] == [whole.name]
    assert tuned.new_folder().name == "tuned-4"
    assert part.with_suffix(".part").name not in promotion.pool.checkpoints()


def machine(folder: Path, files: str) -> tuple[Promotion, SharedCheckpoints]:
    """A process of the app with a data folder of its own."""
    tuned = TunedCheckpoints(folder, "mini")
    tuned.folder.mkdir(parents=True)
    shelf = Shelf(tuned.folder)
    own = tiny.engine(Shelf(folder / "bundled").add("mini"))
    loader = EngineLoader(lambda progress: own)
    for _ in loader.wait(threading.Event()):
        pass
    shared = SharedCheckpoints(tuned, open_files(files, folder))
    pool = EnginePool(loader, [tuned.folder], shelf.load)
    return Promotion(loader, pool, tuned, shared=shared), shared


def test_what_one_machine_promotes_answers_at_another(tmp_path: Path) -> None:
    bucket = f"memory://{uuid4().hex}"
    (here, published), (there, _) = (machine(tmp_path / name, bucket) for name in ("here", "there"))
    there.follow()
    made = add_tuned(here.tuned)
    published.publish(made.name)
    here.promote(made.name, quiet)
    here.follow()
    assert answering(there) == "mini"
    there.follow()
    assert answering(there) == made.name
    assert there.tuned.get(made.name) is not None
    engine = there.loader.engine
    there.follow()
    assert there.loader.engine is engine, "it is loaded once"
    there.roll_back(quiet)
    here.follow()
    assert answering(here) == "mini"
    late, fetched = machine(tmp_path / "late", bucket)
    fetched.fetch()
    assert [one.name for one in late.tuned.all()] == [made.name]
