"""Logins that hold at every process and after a restart, and end with the account or its password."""

from datetime import timedelta
from pathlib import Path

import pytest

from storage import now, open_database
from storage.replicas.logins import LOGIN_TIME, LoginStore
from tests.serving import settings_in
from ui.access.accounts import Accounts
from ui.access.logins import LoginTokens

PASSWORD = "correct horse"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path / "accounts")
    for name in ("ann", "bob"):
        made.save(name, PASSWORD)
    return made


@pytest.fixture
def processes(tmp_path: Path, accounts: Accounts) -> list[LoginTokens]:
    """Two on one database."""
    url = settings_in(tmp_path).database_url
    return [LoginTokens(LoginStore(open_database(url)), accounts) for _ in range(2)]


def test_who_signs_in_at_one_process_is_signed_in_at_all(processes: list[LoginTokens]) -> None:
    here, there = processes
    here["token"] = "ann"
    assert there["token"] == "ann"
    assert there.get("another") is None
    assert there.get(None) is None  # type: ignore[call-overload]
    del there["token"]
    assert "token" not in here


def test_signing_out_everywhere_as_gradio_does_it(processes: list[LoginTokens]) -> None:
    here, there = processes
    here["one"], there["two"], here["three"] = "ann", "ann", "bob"
    for token in list(here.keys()):
        if here[token] == "ann":
            del here[token]
    assert [there.get(token) for token in ("one", "two", "three")] == [None, None, "bob"]


def test_what_is_in_the_database_signs_nobody_in(processes: list[LoginTokens]) -> None:
    here, there = processes
    here["token"] = "ann"
    (kept,) = here.store.keys()
    assert kept not in there


def test_a_login_ends_with_its_account_its_password_and_time(
    processes: list[LoginTokens], accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = processes
    here["one"], here["two"] = "ann", "bob"
    accounts.save("ann", "another horse")
    assert "one" not in there
    here["three"] = "ann"
    assert there["three"] == "ann"
    accounts.remove("ann")
    assert "three" not in here
    later = now() + LOGIN_TIME + timedelta(seconds=1)
    monkeypatch.setattr("storage.database.schema.now", lambda: later)
    assert "two" not in here
    here["four"] = "bob"
    assert len(there) == 1, "what is too old is not kept"
