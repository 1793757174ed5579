"""The named endpoints, called as a program would."""

import shutil
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from storage import Feedback, open_database
from tests.repository.documents import document
from tests.serving import EXAMPLES, Server, rows, serve, settings_in

DOG = str(EXAMPLES / "sound-dog.ogg")


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return Client(server.url, verbose=False)


def ask(client: Client, question: str = "What animal is this?", task: str = "qa") -> dict:
    return client.predict(handle_file(DOG), question, task, api_name="/ask")


def test_only_the_documented_endpoints_are_offered(client: Client) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    tried = {"/intervene", "/deletion_test", "/attribute", "/replay"}
    assert set(named) == {"/ask", "/rate", "/compare", "/trace", *tried}


def test_ask_answers_and_stores(client: Client, server: Server) -> None:
    answer = ask(client)
    assert answer["answer"].startswith("You asked: What animal is this?")
    assert answer["tokens"][0]["start"] == 0
    assert sum(answer["tokens"][0]["routing"]) == pytest.approx(1)
    assert client.predict(answer["answer_id"], api_name="/trace")["answer"] == answer["answer"]


def test_an_empty_question_asks_the_tasks_prompt(client: Client) -> None:
    assert ask(client, "", "aac")["question"] == "Describe the sound."


def test_a_rating_is_saved_when_the_call_returns(client: Client, server: Server) -> None:
    answer = ask(client)
    reply = client.predict(answer["answer_id"], "someone", 1, 5, "A dog.", None, api_name="/rate")
    assert reply["saved"] is True
    saved = rows(
        server.data, f"SELECT thumb, score, correction FROM ratings WHERE id = '{as_hex(reply['rating_id'])}'"
    )
    assert saved == [(1, 5, "A dog.")]


def test_two_answers_to_one_question_can_be_compared(client: Client, server: Server) -> None:
    first, second = ask(client)["answer_id"], ask(client)["answer_id"]
    assert client.predict(first, second, "someone", "tie", False, api_name="/compare")["saved"] is True
    assert rows(server.data, "SELECT winner FROM comparisons") == [("tie",)]


@pytest.mark.parametrize(
    ("endpoint", "arguments", "sentence"),
    [
        ("/trace", ("no-such-answer",), "There is no answer with that id"),
        ("/rate", ("no-such-answer", "someone", 1, None, None, None), "There is no answer with that id"),
        ("/ask", (None, "What?", "qa"), "upload a clip"),
        ("/ask", (handle_file(DOG), "please fail", "qa"), "cannot be answered"),
    ],
)
def test_a_failure_is_an_error_with_one_sentence(
    client: Client, endpoint: str, arguments: tuple, sentence: str
) -> None:
    with pytest.raises(AppError, match=sentence):
        client.predict(*arguments, api_name=endpoint)


def test_a_path_on_the_server_is_not_a_clip(server: Server, tmp_path: Path) -> None:
    """Only what was uploaded may be heard, never a file the server happens to have. Plain HTTP, since the
    client would upload the file by itself."""
    private = shutil.copy(DOG, tmp_path / "private.ogg")
    asked = len(server.engine.asked)
    call = f"{server.url}gradio_api/call/ask"
    stolen = {"path": str(private), "meta": {"_type": "gradio.FileData"}}
    event = httpx.post(call, json={"data": [stolen, "What?", "qa"]}).json()["event_id"]
    reply = httpx.get(f"{call}/{event}", timeout=60).text
    assert reply.startswith("event: error")
    assert len(server.engine.asked) == asked


def test_the_readme_s_example_runs(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(DOG, tmp_path / "clip.wav")
    monkeypatch.chdir(tmp_path)
    [example] = [code for code in document("README.md").blocks("python") if "gradio_client" in code]
    names: dict[str, Any] = {}
    exec(example.replace("http://127.0.0.1:7860", server.url), names)
    stored = f"FROM answers WHERE id = '{as_hex(names['answer']['answer_id'])}'"
    assert rows(server.data, f"SELECT text {stored}") == [(names["answer"]["answer"],)]
    rated = f"SELECT score, comment FROM ratings WHERE answer_id IN (SELECT id {stored})"
    assert rows(server.data, rated) == [(5, "close")]


def as_hex(identity: str) -> str:
    """SQLite holds UUIDs as 32 hex digits."""
    return identity.replace("-", "")


def test_a_rating_is_saved_while_the_queue_for_the_model_is_full(tmp_path: Path) -> None:
    """The model never loads, so every question waits, until one more is turned away."""
    gone, settings = threading.Event(), settings_in(tmp_path, max_waiting=1)
    feedback = Feedback(open_database(settings.database_url))
    answer = feedback.record_answer(stored_answer(), annotator=None)
    with serve(settings, lambda progress: gone.wait()) as url:  # type: ignore[arg-type, return-value]
        with httpx.Client(base_url=url, timeout=30) as client:
            (path,) = client.post("gradio_api/upload", files={"files": Path(DOG).read_bytes()}).json()
            question = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, "", "qa"]}
            asked = (client.post("gradio_api/call/ask", json=question).status_code for _ in range(400))
            assert 503 in asked
            data = [answer, "me", 1, 5, None, "kept", None, None]
            saved = client.post("gradio_api/run/rate", json={"data": data})
        assert saved.json()["data"][0]["saved"] is True
        gone.set()
    rating = feedback.rating(answer, "me")
    assert rating is not None
    assert rating.comment == "kept"
    feedback.database.close()


def stored_answer() -> dict:
    return {
        "answer": "a dog", "task": "qa", "question": "What?", "timings": {}, "prompt": "", "seed": 0,
        "heard": {"start": 0.0, "end": 1.0, "duration": 1.0, "sha256": "0" * 64},
        "model": {"preset": "mini", "fingerprint": "f00d", "quantization": "nf4", "device": "cpu"},
    }  # fmt: skip
