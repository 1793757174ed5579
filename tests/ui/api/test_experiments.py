"""Experiments by the endpoints: what the library makes of them, and what they refuse."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.repository.documents import document
from tests.serving import EXAMPLES
from tests.shelf import Served, Shelf, serve_shelf, shelf_of_two
from usam.audio.clip import load_clip
from usam.interpretability.attribution import attribute
from usam.interpretability.deletion import deletion_test
from usam.interpretability.intervention import intervene
from usam.schema.interventions import DropRandom, ForceExpert

DOG = EXAMPLES / "sound-dog.ogg"
PIANO = EXAMPLES / "music-piano.ogg"
QUESTION = "What animal is this?"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return shelf_of_two(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="module")
def server(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_shelf(shelf, tmp_path_factory.mktemp("data")) as served:
        yield served


@pytest.fixture(scope="module")
def client(server: Served) -> Client:
    return Client(server.url, verbose=False)


@pytest.fixture(scope="module")
def answer_id(client: Client) -> str:
    return client.predict(handle_file(str(DOG)), QUESTION, "qa", api_name="/ask")["answer_id"]


def clip() -> Any:
    return handle_file(str(DOG))


def test_an_intervention_is_what_the_library_makes_of_it(
    client: Client, server: Served, answer_id: str
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


def test_the_deletion_test_is_the_library_s(client: Client, server: Served, answer_id: str) -> None:
    reply = client.predict(answer_id, clip(), "a dog barks", 2, api_name="/deletion_test")
    heard = load_clip(DOG)
    baseline = server.engine.ask(heard, QUESTION)
    expected = deletion_test(server.engine, heard, baseline, seeds=2, reference="a dog barks").to_json()
    assert reply["drop_random"] == pytest.approx(expected["drop_random"], abs=1e-5)
    assert reply["verdict"] == expected["verdict"]


def test_words_are_traced_back(client: Client, server: Served, answer_id: str) -> None:
    reply = client.predict(answer_id, clip(), api_name="/attribute")
    heard = load_clip(DOG)
    group = server.engine.config.queries_per_window
    expected = attribute(server.engine, heard, server.engine.ask(heard, QUESTION), group).to_json()
    assert [word["text"] for word in reply["words"]] == [word["text"] for word in expected["words"]]
    assert reply["words"][0]["scores"] == pytest.approx(expected["words"][0]["scores"], abs=1e-4)


def test_a_stored_answer_comes_out_the_same(client: Client, server: Served, answer_id: str) -> None:
    reply = client.predict(answer_id, clip(), api_name="/replay")
    assert reply["answer"] == reply["recorded"] == server.engine.ask(load_clip(DOG), QUESTION).text
    assert (reply["same_answer"], reply["same_routing"], reply["other_model"]) == (True, True, [])
    assert "The answer is the same" in reply["verdict"]


def test_an_answer_that_would_be_another_one_now_is_reported(
    client: Client, server: Served, answer_id: str
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


def test_the_examples_of_the_contract_run(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
