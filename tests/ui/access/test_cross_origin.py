"""What pages of other sites get from the app, and what its answers say to browsers. No browser yet."""

from http.cookies import SimpleCookie

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.access.cross_origin import HUGGING_FACE, CrossOriginProtection, SecurityHeaders

WIKI = "https://wiki.example.org"


async def answer(request: Request) -> Response:
    response = PlainTextResponse(str(request.headers.get("origin")))
    response.set_cookie("token", "t", httponly=True, samesite="none", secure=True)
    response.set_cookie("plain", "p", httponly=True)
    return response


def browser(
    embedders: tuple[str, ...] = (), framed_by: tuple[str, ...] = (), base: str = "https://app.example"
) -> TestClient:
    routes = [Route(path, answer, methods=["GET", "POST"]) for path in ("/", "/logout")]
    inner = CrossOriginProtection(Starlette(routes=routes), embedders)
    return TestClient(SecurityHeaders(inner, framed_by), base)


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({}, True),  # a program
        ({"Origin": "https://app.example"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://evil.app.example"}, False),
        ({"Origin": "https://app.example.evil.example"}, False),
        ({"Origin": "https://app.example:8443"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "https://["}, False),
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://app.example"}, False),
    ],
)
def test_only_the_apps_own_pages_and_programs_change_anything(
    headers: dict[str, str], admitted: bool
) -> None:
    visit = browser()
    assert (visit.post("/", headers=headers).status_code == 200) is admitted
    assert (visit.get("/logout", headers=headers).status_code == 200) is admitted
    assert visit.get("/", headers=headers).status_code == 200


def test_no_origin_may_read_but_who_is_named() -> None:
    for origin in ("https://evil.example", "https://evil.app.example", "null"):
        reply = browser().get("/", headers={"Origin": origin})
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert reply.text == "None", "what is behind decides nothing by it"
        named = browser((WIKI,)).get("/", headers={"Origin": origin})
        assert "access-control-allow-origin" not in named.headers
    reply = browser((WIKI,)).post("/", headers={"Origin": WIKI, "Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == WIKI
    assert reply.headers["access-control-allow-credentials"] == "true"


def test_only_who_is_named_may_ask_whether_it_may() -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for origin, allowed in ((WIKI, True), ("https://evil.example", False)):
        reply = browser((WIKI,)).options("/", headers={**asks, "Origin": origin})
        assert (reply.headers.get("access-control-allow-origin") == origin) is allowed
    reply = browser().options("/", headers={**asks, "Origin": WIKI})
    assert "access-control-allow-origin" not in reply.headers


def cookies(visit: TestClient) -> dict[str, tuple[str, bool, bool]]:
    """Whom each cookie is for, and whether it is sent over TLS alone and to one site's frame alone."""
    found: SimpleCookie = SimpleCookie()
    partitioned = {}
    for line in visit.get("/").headers.get_list("set-cookie"):
        found.load(line.replace("; Partitioned", ""))
        partitioned[line.partition("=")[0]] = "Partitioned" in line
    return {
        name: (cookie["samesite"], bool(cookie["secure"]), partitioned[name])
        for name, cookie in found.items()
    }


def test_cookies_are_for_the_app_itself() -> None:
    assert cookies(browser()) == {"token": ("Lax", True, False), "plain": ("Lax", True, False)}
    plain = browser(base="http://app.example")
    assert cookies(plain) == {"token": ("Lax", True, False), "plain": ("Lax", False, False)}


def test_in_a_frame_of_another_site_cookies_belong_to_that_frame() -> None:
    framed = cookies(browser(framed_by=(HUGGING_FACE,)))
    assert framed == {"token": ("None", True, True), "plain": ("None", True, True)}


def test_every_answer_says_what_browsers_may_do_with_it() -> None:
    refused = browser().post("/", headers={"Origin": "null"})
    for reply in (browser().get("/"), browser().get("/nothing"), refused):
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "same-origin"
        assert reply.headers["cache-control"] == "private"
        policy = dict(
            part.strip().split(" ", 1) for part in reply.headers["content-security-policy"].split(";")
        )
        assert policy["frame-ancestors"] == policy["connect-src"].split()[0] == policy["base-uri"] == "'self'"
        assert policy["object-src"] == "'none'"
    framed = browser(framed_by=(HUGGING_FACE, WIKI)).get("/").headers["content-security-policy"]
    assert framed.endswith(f"frame-ancestors 'self' {HUGGING_FACE} {WIKI}")
