"""Who sent a request, as far as the app needs to know."""

from __future__ import annotations

import ipaddress

import gradio as gr


def page_of(request: gr.Request) -> str:
    """A page is known by its session."""
    return request.session_hash or ""


def address_of(request: gr.Request | None) -> str | None:
    """The address that a request comes from."""
    return request.client.host if request and request.client else None


def visitor_of(request: gr.Request | None) -> str | None:
    """The key that limits count a request under: an address, of IPv6 the network. None for the server's own
    machine, which is not limited: whoever runs the app is there."""
    return rate_key(address_of(request))


def own_machine(address: str | None) -> bool:
    """Whether an address is the server's own machine."""
    return bool(address) and rate_key(address) is None


def rate_key(address: str | None) -> str | None:
    """What limits count an address under; None for this machine, and where there is no address."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return address or None
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            # A home has 2**64 of these.
            return None if ip.is_loopback else str(ipaddress.ip_network((ip, 64), strict=False))
        ip = ip.ipv4_mapped
    return None if ip.is_loopback else str(ip)
