"""Whom the admin pages open to, and how often a password can be tried."""

import pytest

from ui.access.admin import ATTEMPTS, ATTEMPTS_OF_ALL, AdminGate
from ui.access.request import Client
from usam.errors import RequestError

OWN, LOOPBACK = Client("127.0.0.1", own_machine=True), Client("127.0.0.1")
STRANGER = Client("203.0.113.9")


def guess(gate: AdminGate, typed: str, client: Client) -> str:
    """The reason why it stays shut; empty where it opens."""
    try:
        gate.require_password(typed, client)
    except RequestError as refusal:
        return str(refusal)
    return ""


def test_without_a_password_it_opens_to_the_own_machine_alone_and_says_how_else() -> None:
    gate = AdminGate("")
    assert not guess(gate, "", OWN)
    for client in (STRANGER, LOOPBACK, Client(None)):
        reason = guess(gate, "", client)
        assert "USAM_DASHBOARD_PASSWORD" in reason
        assert "USAM_ADMINS" in reason


def test_with_a_password_it_opens_to_that_alone() -> None:
    gate = AdminGate("sesame")
    assert not guess(gate, "sesame", STRANGER)
    for typed in ("", "sesam", "sesame ", "\ud800"):
        assert "password" in guess(gate, typed, OWN)


@pytest.mark.parametrize("client", [STRANGER, OWN])
def test_passwords_cannot_be_tried_out_fast(client: Client) -> None:
    gate = AdminGate("sesame")
    for _ in range(ATTEMPTS):
        assert "not the password" in guess(gate, "guess", client)
    assert "a minute" in guess(gate, "sesame", client)
    assert not guess(gate, "sesame", Client("198.51.100.1"))


def test_passwords_cannot_be_tried_out_fast_from_many_addresses() -> None:
    gate, admin = AdminGate("sesame"), Client("198.51.100.1")
    assert not guess(gate, "sesame", admin)
    for number in range(ATTEMPTS_OF_ALL):
        assert "not the password" in guess(gate, "guess", Client(f"203.0.113.{number}"))
    assert "all callers" in guess(gate, "sesame", STRANGER)
    assert "all callers" in guess(gate, "sesame", OWN)
    assert not guess(gate, "sesame", admin), "who knew it before is not shut out"


def test_the_right_password_is_no_guess() -> None:
    gate = AdminGate("sesame")
    assert not any(guess(gate, "sesame", STRANGER) for _ in range(3 * ATTEMPTS_OF_ALL))
