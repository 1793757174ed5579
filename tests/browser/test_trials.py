"""What programs can try on stored answers, and answers of a second model; on tiny models."""

import gc
import shutil
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from tests import tiny
from tests.browser.pages import EXAMPLES, AppPage, serve, settings_in
from tests.browser.test_what_if import opened, run
from tests.repository.documents import document
from ui.engines.loader import EngineLoader
from ui.engines.pool import EnginePool
from usam.audio.clip import load_clip
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.interpretability.attribution import attribute
from usam.interpretability.deletion import deletion_test
from usam.interpretability.intervention import intervene
from usam.progress import ProgressCallback
from usam.quantization import choose_precision
from usam.schema.interventions import DropRandom, ForceExpert

DOG = EXAMPLES / "sound-dog.ogg"
PIANO = EXAMPLES / "music-piano.ogg"
QUESTION = "What animal is this?"


@dataclass
class Shelf:
    """Tiny checkpoints in a folder. `loaded` lists what was taken from it, with weak references."""

    folder: Path
    loaded: list[tuple[str, str]] = field(default_factory=list)
    engines: list[weakref.ref[Engine]] = field(default_factory=list)

    def add(self, name: str) -> Path:
        place = self.folder / name
        place.mkdir(parents=True)
        (place / "config.json").write_text(f'{{"name": "{name}"}}')
        return place

    def load(self, place: Path, quantization: str, progress: ProgressCallback) -> Engine:
        progress("Loading", 0.5)
        engine = Engine(tiny.model(), choose_precision(quantization, "cpu"), place, load_s=0.1)
        if quantization == "int8":  # another model, as a precision is: its answers are not the same
            engine.model.llm.lm_head.weight.data.neg_()
        self.loaded.append((place.name, quantization))
        self.engines.append(weakref.ref(engine))
        return engine


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    shelf = Shelf(tmp_path_factory.mktemp("checkpoints"))
    shelf.add("tiny")
    shelf.add("later")
    return shelf


@dataclass(frozen=True)
class Tiny:
    url: str
    engine: Engine


@pytest.fixture(scope="module")
def server(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    engine = tiny.engine(shelf.folder / "tiny")
    settings = settings_in(
        tmp_path_factory.mktemp("data"), preset="tiny", quantization="none", checkpoints=shelf.folder
    )
    with serve(settings, lambda progress: engine, shelf.load) as url:
        yield Tiny(url, engine)


@pytest.fixture(scope="module")
def client(server: Tiny) -> Client:
    return Client(server.url, verbose=False)


@pytest.fixture(scope="module")
def answer_id(client: Client) -> str:
    return client.predict(handle_file(str(DOG)), QUESTION, "qa", api_name="/ask")["answer_id"]


def clip() -> Any:
    return handle_file(str(DOG))


def test_an_intervention_is_what_the_library_makes_of_it(
    client: Client, server: Tiny, answer_id: str
) -> None:
    change = {"kind": "force-expert", "expert": 1}
    reply = client.predict(answer_id, change, clip(), api_name="/intervene")
    heard = load_clip(DOG)
    expected = intervene(server.engine, heard, server.engine.ask(heard, QUESTION), ForceExpert(1))
    assert reply["answer"] == expected.answer.text
    assert reply["intervention"] == change
    assert reply["logprob_change"] == pytest.approx(expected.logprob_change, abs=1e-5)
    assert reply["baseline"]["answer"] == expected.baseline.text


def test_the_threshold_says_what_is_redundant(client: Client, answer_id: str) -> None:
    change = {"kind": "drop-redundant"}
    reply = client.predict(answer_id, change, clip(), threshold=1.0, api_name="/intervene")
    assert all(token["dropped"] for token in reply["tokens"])


def test_the_deletion_test_is_the_library_s(client: Client, server: Tiny, answer_id: str) -> None:
    reply = client.predict(answer_id, clip(), "a dog barks", 2, api_name="/deletion_test")
    heard = load_clip(DOG)
    baseline = server.engine.ask(heard, QUESTION)
    expected = deletion_test(server.engine, heard, baseline, seeds=2, reference="a dog barks").to_json()
    assert reply["drop_random"] == pytest.approx(expected["drop_random"], abs=1e-5)
    assert reply["verdict"] == expected["verdict"]


def test_words_are_traced_back(client: Client, server: Tiny, answer_id: str) -> None:
    reply = client.predict(answer_id, clip(), api_name="/attribute")
    heard = load_clip(DOG)
    group = server.engine.config.queries_per_window
    expected = attribute(server.engine, heard, server.engine.ask(heard, QUESTION), group).to_json()
    assert [word["text"] for word in reply["words"]] == [word["text"] for word in expected["words"]]
    assert reply["words"][0]["scores"] == pytest.approx(expected["words"][0]["scores"], abs=1e-4)


def test_a_stored_answer_comes_out_the_same(client: Client, server: Tiny, answer_id: str) -> None:
    reply = client.predict(answer_id, clip(), api_name="/replay")
    assert reply["answer"] == reply["recorded"] == server.engine.ask(load_clip(DOG), QUESTION).text
    assert (reply["same_answer"], reply["same_routing"], reply["other_model"]) == (True, True, [])
    assert "The answer is the same" in reply["verdict"]


def test_an_answer_that_would_be_another_one_now_is_reported(
    client: Client, server: Tiny, answer_id: str
) -> None:
    head = server.engine.model.llm.lm_head.weight.data
    head.neg_()
    try:
        reply = client.predict(answer_id, clip(), api_name="/replay")
    finally:
        head.neg_()
    assert reply["answer"] != reply["recorded"]
    assert (reply["same_answer"], reply["same_routing"]) == (False, True)


@pytest.mark.parametrize(
    ("endpoint", "arguments", "sentence"),
    [
        ("/intervene", ({"kind": "uniform"},), "send the clip it was about"),
        ("/intervene", ({"kind": "uniform"}, handle_file(str(PIANO))), "send the clip it was about"),
        ("/intervene", ({"kind": "explode"}, clip()), "There is no such change"),
        ("/intervene", ({"kind": "force-expert", "expert": 9}, clip()), "There is no expert 9"),
        ("/intervene", ({"kind": "force-expert", "expert": 0.5}, clip()), "whole number"),
        ("/intervene", ({"kind": "drop-span", "start": 3, "end": 1}, clip()), "a start and a later end"),
        ("/deletion_test", (clip(), None, 21), "1 to 20 seeds"),
        ("/deletion_test", (clip(), "w" * 501, 1), "at most 500 characters"),
        ("/attribute", (), "send the clip it was about"),
        ("/replay", (), "send the clip it was about"),
    ],
)
def test_what_cannot_be_tried_is_reported(
    client: Client, answer_id: str, endpoint: str, arguments: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(AppError, match=sentence):
        client.predict(answer_id, *arguments, api_name=endpoint)


def test_a_second_model_is_held_against_the_first(app: AppPage, server: Tiny, shelf: Shelf) -> None:
    app.upload(DOG)
    app.ask_about(QUESTION)
    first = app.answer_text.inner_text()
    before = len(shelf.loaded)
    opened(app, "Other model")
    app.page.locator("#other-precision").get_by_text("8-bit").click()
    run(app, "other")
    expect(app.othered).to_contain_text("int8")
    expect(app.othered).to_contain_text("MB of weights")
    expect(app.picture).to_have_attribute("data-compared", "same sound")
    expect(app.picture.locator(".versus")).to_contain_text("int8")
    assert shelf.loaded[before:] == [("tiny", "int8")]
    expect(app.answer_text).to_have_text(first)
    expect(app.entries.get_by_role("radio")).to_have_count(2)
    assert alive(shelf) == 0

    # What is tried on the other's answer is tried on the other model, loaded again for that.
    app.entries.locator("label").first.click()
    expect(app.answer_text).not_to_have_text(first)
    opened(app, "Replay")
    run(app, "replay")
    expect(app.replayed).to_contain_text("The answer is the same, word for word. The routing is the same")
    assert shelf.loaded[before:] == [("tiny", "int8")] * 2
    assert alive(shelf) == 0


def test_another_checkpoint_can_be_asked(app: AppPage, shelf: Shelf) -> None:
    app.upload(DOG)
    app.ask_about(QUESTION)
    opened(app, "Other model")
    app.page.locator("#other-checkpoint").get_by_text("later").click()
    app.page.locator("#other-precision").get_by_text("bfloat16").click()
    run(app, "other")
    expect(app.othered).to_contain_text("unchanged")
    assert shelf.loaded[-1] == ("later", "none")
    app.page.locator("#other-checkpoint").get_by_text("tiny").click()
    run(app, "other")
    expect(app.othered).to_contain_text("This model gave the answer on display")


def alive(shelf: Shelf) -> int:
    """How many of the models that were lent are still in memory."""
    gc.collect()
    return sum(engine() is not None for engine in shelf.engines)


def ready(shelf: Shelf, engine: Engine) -> EnginePool:
    loader = EngineLoader(lambda progress: engine)
    for _ in loader.wait(threading.Event()):
        pass
    return EnginePool(loader, shelf.folder, shelf.load)


def quiet(message: str, share: float) -> None:
    """Progress that nobody watches."""


def test_models_are_lent_one_at_a_time_and_come_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    own = tiny.engine(shelf.add("tiny"))
    pool, inside, most = ready(shelf, own), [], []

    def use(engine: Engine) -> None:
        inside.append(engine.model_info.quantization)
        most.append(len(inside))
        threading.Event().wait(0.05)
        inside.pop()

    threads = [
        threading.Thread(target=pool.run_on_checkpoint, args=("tiny", precision, use, quiet))
        for precision in ("int8", "nf4", "int8")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]
    assert alive(shelf) == 0
    pool.run_on_checkpoint("tiny", "none", lambda engine: inside.append(engine), quiet)
    assert inside == [own]
    assert len(shelf.loaded) == 3


def test_a_model_goes_back_after_a_failure_too(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    pool = ready(shelf, tiny.engine(shelf.add("tiny")))

    def fail(engine: Engine) -> None:
        raise RequestError("No.")

    with pytest.raises(RequestError, match=r"No\."):
        pool.run_on_checkpoint("tiny", "int8", fail, quiet)
    assert alive(shelf) == 0
    assert (
        pool.run_on_checkpoint("tiny", "int8", lambda engine: engine.model_info.quantization, quiet) == "int8"
    )
    for name, precision in (("gone", "nf4"), ("tiny", "nf5")):
        with pytest.raises(RequestError, match="Choose a checkpoint"):
            pool.run_on_checkpoint(name, precision, lambda engine: None, quiet)


def test_an_answer_is_studied_on_the_model_that_gave_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    own = tiny.engine(shelf.add("tiny"))
    later = tiny.engine(shelf.add("later")).model_info
    pool = ready(shelf, own)
    names = [
        pool.run_on(info, lambda engine: engine.checkpoint.name, quiet) for info in (own.model_info, later)
    ]
    assert names == ["tiny", "later"]
    assert shelf.loaded == [("later", "none")]


def test_the_examples_of_the_contract_run(
    server: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(DOG, tmp_path / "clip.wav")
    monkeypatch.chdir(tmp_path)
    code = document("docs/contract.md").blocks("python")
    assert len(code) == 2
    names: dict[str, Any] = {}
    exec("\n".join(code).replace("http://127.0.0.1:7860", server.url), names)
    assert names["changed"]["intervention"] == {"kind": "force-expert", "expert": 0}
    assert names["changed"]["baseline"]["answer"] == names["answer"]["answer"]


def test_random_draws_repeat(client: Client, answer_id: str) -> None:
    change = {"kind": "drop-random", "seed": 3}
    replies = [client.predict(answer_id, change, clip(), api_name="/intervene") for _ in range(2)]
    dropped = [[token["dropped"] for token in reply["tokens"]] for reply in replies]
    assert dropped[0] == dropped[1]
    assert replies[0]["intervention"] == {"kind": "drop-random", "seed": DropRandom(3).seed}
