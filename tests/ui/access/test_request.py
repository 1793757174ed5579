"""Who a request is from: what the socket and declared proxies say counts, what visitors say does not."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.access.request import Client, IdentifyClient, client_of, current_client, network_of, visitor_of

Headers = dict[str, str] | list[tuple[str, str]]


def seen(
    headers: Headers,
    peer: str | None = "127.0.0.1",
    proxies: int = 0,
    exposed: bool = False,
    hosts: tuple[str, ...] = (),
    kind: str = "http",
) -> dict[str, Any]:
    """The scope that the app behind the middleware gets, or the status that it was refused with."""
    found: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert current_client.get() == scope["state"]["client"]
        found.update(scope)

    async def send(message: Any) -> None:
        found.setdefault("status", message.get("status"))

    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "scheme": "http" if kind == "http" else "ws",
        "client": (peer, 5) if peer else None,
        "headers": [(name.lower().encode(), value.encode("utf-8")) for name, value in pairs],
    }
    middleware = IdentifyClient(app, proxies, lambda: exposed, hosts)
    asyncio.run(middleware(scope, None, send))  # type: ignore[arg-type]
    return found


def client(*arguments: Any, **changes: Any) -> Client:
    return seen(*arguments, **changes)["state"]["client"]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:7860", "127.0.0.1:7860", "[::1]:7860", "LOCALHOST"])
def test_the_own_machine_comes_from_the_loopback_to_a_localhost_name(peer: str, host: str) -> None:
    assert client({"Host": host}, peer) == Client(peer, own_machine=True)


@pytest.mark.parametrize("peer", ["203.0.113.5", "10.0.0.1", "172.17.0.1", "::2", "proxy.example", "", None])
def test_no_other_address_is_the_own_machine(peer: str | None) -> None:
    assert not client({"Host": "localhost"}, peer).own_machine


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "localhost.evil.example", "127.0.0.1.evil.example", "127.1",
             "0.0.0.0:7860", "localhost.", "192.168.0.2"],
)  # fmt: skip
def test_a_name_rebound_to_the_loopback_is_not_the_own_machine(host: str) -> None:
    assert not client({"Host": host}).own_machine


def test_without_a_host_nobody_is_the_own_machine() -> None:
    assert not client({}).own_machine


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded",
     "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "X-Gradio-Server", "CDN-Loop"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["127.0.0.1", "for=127.0.0.1", ""])
def test_whatever_was_forwarded_is_not_the_own_machine_and_goes_no_further(header: str, value: str) -> None:
    scope = seen({"Host": "localhost", header: value})
    assert not scope["state"]["client"].own_machine
    assert scope["state"]["client"].address == "127.0.0.1"
    assert [name for name, _ in scope["headers"]] == [b"host"]


def test_neither_proxies_nor_exposure_leave_an_own_machine() -> None:
    assert not client({"Host": "localhost"}, proxies=1).own_machine
    assert not client({"Host": "localhost"}, exposed=True).own_machine


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "127.0.0.1, 203.0.113.5", "203.0.113.5"),
        (1, "203.0.113.5", "203.0.113.5"),
        (2, "127.0.0.1, 203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (2, "203.0.113.5", "127.0.0.1"),  # came past the outer proxy
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "203.0.113.5:1234", "203.0.113.5"),
        (1, "203.0.113.5, unknown", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (0, "203.0.113.5", "127.0.0.1"),
    ],
)
def test_the_visitor_is_counted_from_the_right(proxies: int, forwarded: str, address: str) -> None:
    scope = seen({"Host": "app.example", "X-Forwarded-For": forwarded}, proxies=proxies)
    assert scope["state"]["client"] == Client(address)
    assert scope["client"][0] == address


def test_several_headers_are_one_list() -> None:
    headers = [("Host", "a"), ("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "203.0.113.5")]
    assert client(headers, proxies=1).address == "203.0.113.5"


def test_scheme_and_host_are_the_nearest_proxys_word_where_there_is_one() -> None:
    forwarded = {
        "Host": "inner",
        "X-Forwarded-Proto": "http, https",
        "X-Forwarded-Host": "evil.example, app.example",
    }
    behind, without = seen(forwarded, proxies=1), seen(forwarded)
    assert (behind["scheme"], behind["headers"]) == ("https", [(b"host", b"app.example")])
    assert (without["scheme"], without["headers"]) == ("http", [(b"host", b"inner")])
    assert seen(forwarded, proxies=1, kind="websocket")["scheme"] == "wss"
    assert seen({"Host": "a", "X-Forwarded-Proto": "gopher"}, proxies=1)["scheme"] == "http"


def test_a_space_has_its_own_names_and_no_other() -> None:
    names = ("me-studio.hf.space", "studio.example.org")
    for sent, answered in (("evil.example", names[0]), (names[1], names[1])):
        assert seen({"Host": sent}, proxies=1, hosts=names)["headers"] == [(b"host", answered.encode())]


@pytest.mark.parametrize(
    "headers",
    [[("Host", "a/b")], [("Host", 'a"><script>')], [("Host", "a"), ("Host", "b")], [("Host", "a b")]],
)
def test_a_host_that_is_none_is_refused(headers: Headers) -> None:
    assert seen(headers)["status"] == 400


@given(
    value=st.text(max_size=60).filter(lambda text: "\n" not in text),
    host=st.text(st.characters(codec="ascii"), max_size=30),
    proxies=st.integers(0, 3),
)
def test_no_header_breaks_it(value: str, host: str, proxies: int) -> None:
    names = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded")
    scope = seen([("Host", host), *((name, value) for name in names)], proxies=proxies)
    if "state" in scope:
        assert not scope["state"]["client"].own_machine
        assert scope["state"]["client"].rate_key


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("::ffff:198.51.100.1", "198.51.100.1", True),
        ("198.51.100.1", "198.51.100.2", False),
        ("127.0.0.1", "::1", False),
        (None, "no address", True),
    ],
)
def test_a_visitor_is_an_address_or_a_network(first: str | None, second: str, same: bool) -> None:
    assert (network_of(first) == network_of(second)) is same


def test_the_own_machine_and_the_program_itself_alone_are_not_limited() -> None:
    assert Client("127.0.0.1", own_machine=True).rate_key is None
    assert Client("127.0.0.1").rate_key == "127.0.0.1"
    assert visitor_of(None) is None
    assert client_of(object()) == Client(None)
    assert visitor_of(object()) is not None, "a request that the middleware did not see"  # type: ignore[arg-type]
