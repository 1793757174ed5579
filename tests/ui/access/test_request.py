"""Whom a request is counted for."""

import pytest

from ui.access.request import rate_key


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:198.51.100.1", "198.51.100.1", True),
        ("198.51.100.1", "198.51.100.2", False),
        ("proxy.example", "proxy.example", True),
    ],
)
def test_a_visitor_is_an_address_or_a_network(first: str, second: str, same: bool) -> None:
    assert (rate_key(first) == rate_key(second)) is same


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", None, ""])
def test_this_machine_is_not_counted(address: str | None) -> None:
    assert rate_key(address) is None
