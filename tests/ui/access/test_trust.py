"""Whom the running app takes for its own machine, and whose word it takes for where a request comes from."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fake_engine import FakeEngine
from tests.serving import serve, settings_in
from ui.settings import Settings

SPOOFED = "127.0.0.1, 203.0.113.5"
SHUT = "USAM_DASHBOARD_PASSWORD"
PAGES = ["dashboard", "browse", "teach", "projects"]


def running(settings: Settings, **options: Any) -> Any:
    return serve(settings, lambda progress: FakeEngine(pause=0.0), **options)  # type: ignore[arg-type, return-value]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as it is started on one's own machine."""
    with running(settings_in(tmp_path_factory.mktemp("data"))) as url:
        yield url


def shown(url: str, page: str, headers: dict[str, str] | None = None, password: str = "") -> str:
    """What an admin page says to who opens it with these headers, and types this."""
    nothing: dict[str, tuple[str, list[Any]]] = {
        "dashboard": ("drawn", []),
        "browse": ("opened", [""] * 9),
        "teach": ("teach_opened", []),
        "projects": ("projects_opened", [None]),
    }
    name, chosen = nothing[page]
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        events = client.get("config").json()["dependencies"]
        # Gradio numbers handlers of one name, so what they take tells them apart.
        taking = [event for event in events if len(event["inputs"]) == 1 + len(chosen)]
        event = next(event for event in taking if re.fullmatch(rf"{name}(_\d+)?", event["api_name"] or ""))
        body = {"data": [password, *chosen], "fn_index": event["id"], "session_hash": "reader"}
        client.post("gradio_api/queue/join", json=body).raise_for_status()
        reply = client.get("gradio_api/queue/data", params={"session_hash": "reader"}).text
    messages = [json.loads(line.removeprefix("data: ")) for line in reply.splitlines() if line]
    assert [message["success"] for message in messages if message["msg"] == "process_completed"] == [True]
    return reply


@pytest.mark.parametrize("page", PAGES)
def test_the_admin_pages_open_on_the_own_machine(url: str, page: str) -> None:
    assert SHUT not in shown(url, page)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-For": SPOOFED},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-For": "\u00a0;,,[::1", "X-Forwarded-Host": "[", "Forwarded": '"'},
    ],
    ids=str,
)
def test_no_header_and_no_rebound_name_opens_them(url: str, page: str, headers: dict[str, str]) -> None:
    sent = {name: value.encode("utf-8") for name, value in headers.items()}
    assert SHUT in shown(url, page, sent)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "where", [{"space": True, "proxies": 1}, {"proxies": 1}, {"container": True}, {"space": True}], ids=str
)
def test_where_something_is_in_front_they_stay_shut_and_say_how_to_open_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: dict[str, Any]
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with running(settings_in(tmp_path, **where)) as url:
        for headers in ({}, {"X-Forwarded-For": SPOOFED}, {"X-Forwarded-For": "127.0.0.1"}):
            assert SHUT in shown(url, "dashboard", headers)


def test_a_shared_link_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tunnel ends on this machine and may say what it likes."""
    monkeypatch.setattr("gradio.networking.setup_tunnel", lambda **_: "https://shared.example")
    with running(settings_in(tmp_path), share=True) as url:
        assert SHUT in shown(url, "dashboard")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null"])
@pytest.mark.parametrize(
    "path",
    ["gradio_api/queue/join", "gradio_api/call/ask", "gradio_api/run/ask", "gradio_api/upload", "login",
     "download", "mcp", "gradio_api/reset", "gradio_api/cancel"],
)  # fmt: skip
def test_nothing_is_taken_from_other_sites_pages(url: str, path: str, origin: str) -> None:
    reply = httpx.post(f"{url}{path}", json={}, headers={"Origin": origin, "Host": "app.example"})
    assert reply.status_code == 403
    assert "access-control-allow-origin" not in reply.headers
    assert httpx.post(f"{url}{path}", json={}).status_code != 403, "programs send no origin"


@pytest.mark.parametrize("path", ["", "config", "health", "gradio_api/info", "theme.css"])
def test_nothing_is_read_by_other_sites_pages(url: str, path: str) -> None:
    reply = httpx.get(f"{url}{path}", headers={"Origin": "https://evil.example", "Host": "app.example"})
    assert reply.status_code == 200
    assert not [name for name in reply.headers if name.startswith("access-control")]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Gradio-Server", "X-Original-Host", "Forwarded"])
def test_links_are_not_made_from_what_a_visitor_says_of_the_host(url: str, header: str) -> None:
    for path in ("", "config"):
        reply = httpx.get(f"{url}{path}", headers={header: "http://evil.example"})
        assert "evil.example" not in reply.text
        assert reply.headers["cache-control"] == "private"


def test_a_space_makes_links_of_its_own_name_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, space=True, proxies=1, space_hosts=("me-studio.hf.space",))
    with running(settings) as url:
        asked = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
        reply = httpx.get(url, headers=asked)
        assert "evil.example" not in reply.text
        assert "https://me-studio.hf.space" in reply.text
        assert "frame-ancestors 'self' https://huggingface.co" in reply.headers["content-security-policy"]


def test_the_leftmost_address_is_nobodys(tmp_path: Path) -> None:
    """What a visitor puts before the proxy's word is no new visitor."""
    with running(settings_in(tmp_path, proxies=1, dashboard_password="sesame")) as url:
        replies = set()
        for number in range(11):
            headers = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.5"}
            replies.add(shown(url, "dashboard", headers, "guess"))
        assert any("a minute" in reply for reply in replies)
        assert "a minute" not in shown(
            url, "dashboard", {"X-Forwarded-For": "203.0.113.5, 198.51.100.1"}, "sesame"
        )


@pytest.mark.parametrize(
    ("environ", "proxies"), [({}, 0), ({"SPACE_ID": "me/studio"}, 1), ({"USAM_BEHIND_PROXY": "2"}, 2),
                             ({"SPACE_ID": "me/studio", "USAM_BEHIND_PROXY": "3"}, 3)],
)  # fmt: skip
def test_the_number_of_proxies_is_set(environ: dict[str, str], proxies: int) -> None:
    assert Settings.from_environment(environ).proxies == proxies


def test_a_space_a_container_and_embedders_are_read_from_the_environment() -> None:
    settings = Settings.from_environment(
        {"SPACE_ID": "me/s", "SPACE_HOST": "a.hf.space,b.example", "KUBERNETES_SERVICE_HOST": "10.0.0.1",
         "USAM_EMBEDDERS": "https://Wiki.example.org, http://localhost:8000"}
    )  # fmt: skip
    assert settings.space
    assert settings.container
    assert settings.space_hosts == ("a.hf.space", "b.example")
    assert settings.embedders == ("https://wiki.example.org", "http://localhost:8000")
    assert Settings.from_environment({"SPACE_HOST": "evil.example"}).space_hosts == ()


@pytest.mark.parametrize(
    "wrong", ["*", "null", "wiki.example.org", "https://a/b", "https://*.example.org", "https://a;"]
)
def test_what_is_no_origin_ends_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="USAM_EMBEDDERS"):
        Settings.from_environment({"USAM_EMBEDDERS": wrong})


@pytest.mark.parametrize("wrong", ["-1", "1.5", "yes", "nan", "11"])
def test_what_is_no_number_of_proxies_ends_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="USAM_BEHIND_PROXY"):
        Settings.from_environment({"USAM_BEHIND_PROXY": wrong})
