"""A request's number is in its response, in the sentence of its error and in the log."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.endurance.page import OpenPage, RefusedError
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, serve, settings_in
from ui.server.request_log import HEADER, configure_logging


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("a", stream)
    yield stream
    root.handlers, root.level = handlers, level


def test_the_number_on_the_page_finds_the_lines_of_the_log(tmp_path: Path, log: io.StringIO) -> None:
    with (
        serve(settings_in(tmp_path), lambda progress: FakeEngine()) as url,  # type: ignore[arg-type, return-value]
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        numbers = {client.get("health", headers={HEADER: "of a visitor"}).headers[HEADER] for _ in range(2)}
        assert len(numbers) == 2
        assert client.get("metrics").status_code == 404, "closed by default"
        assert "of a visitor" not in numbers
        with OpenPage(client, "someone") as page:
            page.upload(EXAMPLES / "sound-dog.ogg")
            page.fill("question", "crash")
            with pytest.raises(RefusedError, match=r"\(request [0-9a-f]{12}\)") as refused:
                list(page.trigger("ask"))
    number = str(refused.value).rpartition("request ")[2].rstrip(")")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (failed,) = (line for line in lines if line["message"] == "an answer failed")
    assert (failed["request"], failed["replica"], failed["level"]) == (number, "a", "error")
    assert "Traceback" in failed["exception"]
