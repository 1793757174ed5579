"""The endpoints with anything in the place of what they take: one clean error, and the app goes on."""

import json
import math
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.endurance.page import OpenPage, RefusedError
from storage import Feedback, open_database
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, serve, settings_in
from ui.access.request import Client
from ui.api.endpoints import Endpoints
from ui.engines.loader import EngineLoader
from ui.server import plain_errors
from ui.studio.service import UNEXPECTED, Studio

DOG = str(EXAMPLES / "sound-dog.ogg")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ENDPOINTS = ["ask", "intervene", "deletion_test", "attribute", "rate", "compare", "trace"]
OURS = re.compile(
    r'File "[^"]*/(?:ui|usam|storage)/[^"]*\.py", line \d+, in .*\n.*\n(?:[ ~^]*\n)?\w*(?:Error|Exception)\b'
)
"""The end of a traceback that begins in Gradio and ends in this project."""
ADDRESS = " object at 0x"
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Endpoints:
    options = settings_in(tmp_path_factory.mktemp("data"))
    loader = EngineLoader(lambda progress: FakeEngine(pause=0.0))  # type: ignore[arg-type, return-value]
    return Endpoints(Studio(loader, Feedback(open_database(options.database_url)), options))


@pytest.fixture(scope="module")
def answer_id(endpoints: Endpoints) -> str:
    return endpoints.ask(DOG, "What?", "qa", _from_here())["answer_id"]


def _from_here() -> Any:
    return SimpleNamespace(state=SimpleNamespace(client=Client("127.0.0.1", own_machine=True)))


def replied(endpoint: Any, *values: Any) -> str:
    """Call the endpoint; what a client reads. Whatever is raised but Gradio's error fails the test."""
    request = {} if endpoint.__name__ == "trace" else {"request": _from_here()}
    try:
        return json.dumps(endpoint(*values, **request), allow_nan=False)
    except gr.Error as error:
        return str(error.message)


def is_clean(reply: str) -> bool:
    """Whether it is JSON or one sentence."""
    return reply.isprintable() and reply != UNEXPECTED and reply.endswith(("}", "."))


@FUZZ
@given(values=st.tuples(*[JSON] * 8), mine=st.booleans())
def test_any_rating(endpoints: Endpoints, answer_id: str, values: tuple[Any, ...], mine: bool) -> None:
    assert is_clean(replied(endpoints.rate, *((answer_id, "someone", *values[2:]) if mine else values)))


@FUZZ
@given(values=st.tuples(*[JSON] * 5), mine=st.booleans())
def test_any_comparison(endpoints: Endpoints, answer_id: str, values: tuple[Any, ...], mine: bool) -> None:
    assert is_clean(replied(endpoints.compare, *((answer_id, *values[1:]) if mine else values)))


@FUZZ
@given(value=JSON)
def test_any_trace(endpoints: Endpoints, value: Any) -> None:
    assert is_clean(replied(endpoints.trace, value))


@FUZZ
@given(values=st.tuples(*[JSON] * 5), name=st.sampled_from(["intervene", "deletion_test"]))
def test_any_trial(endpoints: Endpoints, answer_id: str, values: tuple[Any, ...], name: str) -> None:
    """Without its audio, so that whatever passes the checks ends there."""
    first, change, *rest = values
    arguments = (
        (answer_id, change, None, rest[0]) if name == "intervene" else (answer_id, None, first, *rest[:2])
    )
    assert is_clean(replied(getattr(endpoints, name), *arguments))


@FUZZ
@given(question=st.none() | st.text(max_size=600), task=st.sampled_from(["qa", "asr"]) | st.text(max_size=30))
def test_any_question(endpoints: Endpoints, question: str | None, task: str) -> None:
    """What a text box and a list let through; `test_any_message` sends the rest."""
    assert is_clean(replied(endpoints.ask, DOG, question, task))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(settings_in(tmp_path_factory.mktemp("data")), lambda progress: FakeEngine(pause=0.0)) as url:
        yield url


@settings(max_examples=20, deadline=None)
@given(endpoint=st.sampled_from(ENDPOINTS), data=st.lists(JSON, max_size=8))
def test_any_message(url: str, endpoint: str, data: list[Any]) -> None:
    call = f"{url}gradio_api/call/{endpoint}"
    message = json.dumps({"data": data})  # with NaN and Infinity, which are no JSON
    joined = httpx.post(call, content=message, headers={"Content-Type": "application/json"})
    if joined.status_code == 200:
        check_refusal(httpx.get(f"{call}/{joined.json()['event_id']}", timeout=30).text)
    assert httpx.get(f"{url}health").status_code == 200


def check_refusal(reply: str) -> None:
    """What an endpoint streams: where it is an error, one sentence that tells nothing of the server."""
    if "event: error" in reply:
        (told,) = (line.removeprefix("data: ") for line in reply.splitlines() if line.startswith("data: "))
        sentence = json.loads(told)["error"]
        assert isinstance(sentence, str)
        assert re.match(r"[A-Z\"“].*[.\]]$", sentence, re.DOTALL), sentence
    for inside in ("Traceback", "/ui/", ADDRESS, "null"):
        assert inside not in reply or "event: complete" in reply


@pytest.fixture(scope="module")
def uploaded(url: str) -> dict[str, Any]:
    content = (EXAMPLES / "sound-dog.ogg").read_bytes()
    (path,) = httpx.post(f"{url}gradio_api/upload", files={"files": ("dog.ogg", content)}).json()
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


FOREIGN = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
NOBODY = "00000000-0000-0000-0000-000000000000"
HALF = "\ud83d"


@pytest.mark.parametrize(
    ("endpoint", "data", "words"),
    [
        ("rate", [NOBODY, "me", 1, 5, None, None, [4, 5], None], "dimensions"),
        ("rate", [NOBODY, "me", 1, 5, None, None, {"invented": 4}, None], "correctness"),
        ("rate", [NOBODY, "me", math.nan, None, None, None, None, None], "thumb"),
        ("rate", [NOBODY, "me", None, math.inf, None, None, None, None], "score"),
        ("rate", [NOBODY, "me", 10**40, None, None, None, None, None], "thumb"),
        ("rate", [NOBODY, "me", 1, None, HALF, None, None, None], "an incomplete character"),
        ("rate", [NOBODY, "me", 1, None, None, {"a": 1}, None, None], "text"),
        ("rate", [NOBODY, "me", 1, None, None, None, None, "unsafe"], "list"),
        ("compare", [NOBODY, NOBODY, HALF, "a", False], "an incomplete character"),
        ("compare", [NOBODY, NOBODY, "me", "a", [1]], "true or false"),
        ("trace", [[NOBODY]], "text"),
        ("trace", [HALF], "an incomplete character"),
        ("deletion_test", [NOBODY, None, "", 10**40, None], "seeds"),
        ("deletion_test", [NOBODY, None, "", math.nan, None], "seeds"),
        ("deletion_test", [NOBODY, None, HALF, 3, None], "an incomplete character"),
        ("intervene", [NOBODY, {"kind": "drop-redundant"}, None, math.nan], "number"),
        ("intervene", [NOBODY, {"kind": "drop-redundant"}, None, 10**400], "number"),
        ("intervene", [NOBODY, {"kind": "drop-span", "start": 0, "end": 10**400}, None, None], "change"),
        ("attribute", [NOBODY, FOREIGN], "not uploaded here"),
        ("ask", [FOREIGN, "What?", "qa"], "not uploaded here"),
        ("ask", [{"path": [1]}, "What?", "qa"], "audio"),
        ("ask", ["dog"], "audio"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_sentence(
    url: str, endpoint: str, data: list[Any], words: str
) -> None:
    call = f"{url}gradio_api/call/{endpoint}"
    joined = httpx.post(
        call, content=json.dumps({"data": data}), headers={"Content-Type": "application/json"}
    )
    reply = httpx.get(f"{call}/{joined.json()['event_id']}", timeout=30).text
    assert "event: error" in reply
    check_refusal(reply)
    assert words in json.loads(reply.split("data: ")[-1])["error"]


def test_half_of_a_character_is_no_question(url: str, uploaded: dict[str, Any]) -> None:
    call = f"{url}gradio_api/call/ask"
    joined = httpx.post(
        call,
        content=json.dumps({"data": [uploaded, HALF, "qa"]}),
        headers={"Content-Type": "application/json"},
    )
    reply = httpx.get(f"{call}/{joined.json()['event_id']}", timeout=30).text
    check_refusal(reply)
    assert "an incomplete character" in reply


@pytest.fixture(scope="module")
def page(url: str) -> Iterator[OpenPage]:
    """An open page with an answer on it."""
    with httpx.Client(base_url=url.rstrip("/"), timeout=30) as client, OpenPage(client, "someone") as page:
        page.upload(EXAMPLES / "sound-dog.ogg")
        list(page.trigger("ask"))
        yield page


@settings(
    max_examples=50,
    deadline=None,
    phases=[Phase.generate],  # a page takes too long to look for the smallest
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_message_to_the_page(
    page: OpenPage, capfd: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    """The page's own events are no secret: whoever looks can send them whatever they like."""
    name = data.draw(st.sampled_from(page.events))
    changed = data.draw(st.dictionaries(st.integers(0, page.fields(name)), JSON, max_size=3))
    assert ADDRESS not in replied_to(page, name, changed)
    told = capfd.readouterr().err
    crashes = [crash for crash in told.split("Traceback (most recent call last)")[1:] if OURS.search(crash)]
    assert crashes == [], name


def replied_to(page: OpenPage, event: str, changed: dict[int, Any]) -> str:
    """All that the page gets back, be it a refusal."""
    try:
        return "\n".join(page.send(event, changed))
    except RefusedError as error:
        return str(error)


def test_no_reply_to_the_page_shows_an_object_s_address(page: OpenPage) -> None:
    replies = {event: replied_to(page, event, {}) for event in page.events}
    assert [event for event, reply in replies.items() if ADDRESS in reply] == []
    assert any("annotations" in reply for reply in replies.values())


def test_no_event_of_the_page_goes_wrong_where_nothing_was_chosen(page: OpenPage) -> None:
    """The state that hands another model's answer on is emptied after that, which is an event too."""
    assert plain_errors.UNEXPECTED not in replied_to(page, "other_shown", {})


def test_a_page_that_the_server_forgot_is_asked_to_reload(url: str) -> None:
    """After a restart the browser shows an answer of which the server knows nothing."""
    with httpx.Client(base_url=url.rstrip("/"), timeout=30) as client, OpenPage(client, "someone") as page:
        for button in ("edit", "retry", "vote-a"):
            with pytest.raises(RefusedError, match="Reload the page"):
                list(page.trigger(button))
