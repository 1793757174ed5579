"""Who sent a request: taken from the socket and the declared proxies, never from the visitor's own headers.

`IdentifyClient` reads this once a request; everything else asks `client_of`.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    import gradio as gr

log = logging.getLogger(__name__)

Header = tuple[bytes, bytes]

_FORWARDING = frozenset(
    b"""forwarded via cdn-loop client-ip x-client-ip x-cluster-client-ip x-real-ip x-real-port x-original-host
    x-original-for x-original-forwarded-for x-original-proto x-proxyuser-ip x-envoy-external-address
    x-gradio-server cf-connecting-ip cf-connecting-ipv6 cf-pseudo-ipv4 cf-ray true-client-ip fastly-client-ip
    fly-client-ip do-connecting-ip x-appengine-user-ip x-azure-clientip x-nf-client-connection-ip
    tailscale-user-login""".split()
)
_LOOPBACK_HOST = re.compile(rb"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?", re.ASCII | re.IGNORECASE)
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)
_SCHEMES = {"http": ("http", "ws"), "https": ("https", "wss")}


@dataclass(frozen=True)
class Client:
    """address: of the visitor, None where the socket has none.  own_machine: whether the request was sent on
    the server itself, whose user may see the admin pages and is not limited."""

    address: str | None
    own_machine: bool = False

    @property
    def rate_key(self) -> str | None:
        """What limits count the client under: an address, of IPv6 the network, since a home has 2**64 of
        these. None for the own machine."""
        return None if self.own_machine else network_of(self.address)


UNKNOWN = Client(None)
current_client: ContextVar[Client] = ContextVar("current_client", default=UNKNOWN)
"""Of the request that is being answered, for callbacks that are not given it."""


class IdentifyClient:
    """ASGI middleware, the outermost: puts a `Client` into the request's state, and takes out of the request
    the headers that only proxies may set, so that nothing behind it can trust them.

    Behind `proxies` proxies the client's address is the one that the farthest of them saw: counted from the
    right of X-Forwarded-For, since what is further left came with the request. Scheme and host are then those
    that the nearest proxy reports. Without proxies, only the socket and the Host header count.
    """

    def __init__(
        self, app: ASGIApp, proxies: int, exposed: Callable[[], bool], hosts: tuple[str, ...] = ()
    ) -> None:
        """exposed: whether others may reach the socket through something on this machine, so that a loopback
        address does not prove a local user.  hosts: the only names the app has, where they are known."""
        self.app = app
        self.proxies = proxies
        self.exposed = exposed
        self.hosts = tuple(host.lower().encode() for host in hosts)
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers: list[Header] = scope["headers"]
        forwarding = [header for header in headers if _forwards(header[0])]
        kept = [header for header in headers if not _forwards(header[0])]
        if forwarding and not self.proxies:
            self._warn()
        sent = _values(kept, b"host")
        host = self._host(sent, forwarding)
        if len(sent) > 1 or not _HOST.fullmatch(host or b"localhost"):
            await PlainTextResponse("The Host header is not the name of a server.", 400)(scope, receive, send)
            return

        client = self._client(scope, forwarding, host)
        scope = {**scope, "client": (client.address, 0) if client.address else None}
        scope["scheme"] = self._scheme(scope, forwarding)
        scope["headers"] = [header for header in kept if header[0] != b"host"]
        if host:
            scope["headers"].append((b"host", host))
        scope.setdefault("state", {})["client"] = client
        token = current_client.set(client)
        try:
            await self.app(scope, receive, send)
        finally:
            current_client.reset(token)

    def _client(self, scope: Scope, forwarding: list[Header], host: bytes | None) -> Client:
        peer = scope.get("client")
        address = peer[0] if peer else None
        if self.proxies:
            return Client(_forwarded_for(_words(forwarding, b"x-forwarded-for"), self.proxies) or address)
        own = (
            not self.exposed()
            and not forwarding
            and _is_loopback(address)
            and bool(host and _LOOPBACK_HOST.fullmatch(host))
        )
        return Client(address, own)

    def _host(self, sent: list[bytes], forwarding: list[Header]) -> bytes | None:
        forwarded = _words(forwarding, b"x-forwarded-host") if self.proxies else []
        host = forwarded[-1].encode("latin1") if forwarded else sent[0] if sent else None
        return self.hosts[0] if self.hosts and (host or b"").lower() not in self.hosts else host

    def _scheme(self, scope: Scope, forwarding: list[Header]) -> str:
        forwarded = _words(forwarding, b"x-forwarded-proto") if self.proxies else []
        names = _SCHEMES.get(forwarded[-1].lower()) if forwarded else None
        return names[scope["type"] == "websocket"] if names else scope["scheme"]

    def _warn(self) -> None:
        if not self._warned:
            log.warning(
                "requests come through a proxy, but USAM_BEHIND_PROXY is not set: all its visitors share one "
                "allowance"
            )
        self._warned = True


def client_of(request: Any) -> Client:
    """The client of a request of Gradio or Starlette. One that no server received has no address."""
    return getattr(getattr(request, "state", None), "client", UNKNOWN)


def visitor_of(request: gr.Request | Request | None) -> str | None:
    """The key that limits count a request under; None for what is not limited: the server's own machine, and
    calls within the program, which have no request."""
    return client_of(request).rate_key if request else None


def page_of(request: gr.Request | None) -> str:
    """A page is known by its session; calls within the program have none."""
    return (request.session_hash if request else None) or ""


def network_of(address: str | None) -> str:
    """The address, of IPv6 the network; one name for all that are none."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(ip), 64), strict=False))
        ip = ip.ipv4_mapped
    return str(ip)


def _is_loopback(address: str | None) -> bool:
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _forwards(name: bytes) -> bool:
    return name in _FORWARDING or name.startswith(b"x-forwarded")


def _values(headers: Iterable[Header], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def _words(headers: Iterable[Header], name: bytes) -> list[str]:
    """The values of all headers of a name, the nearest proxy's last."""
    joined = b",".join(_values(headers, name)).decode("latin1")
    return [word.strip() for word in joined.split(",")] if joined else []


def _forwarded_for(words: list[str], proxies: int) -> str | None:
    """The address that the farthest of the trusted proxies saw; None where it reports none."""
    if len(words) < proxies:
        return None
    word = words[-proxies]
    if match := re.fullmatch(r"\[([^\]]*)\](?::\d+)?|([^:]*):\d+", word):
        word = match[1] or match[2] or ""
    try:
        return str(ipaddress.ip_address(word))
    except ValueError:
        return None
