"""Accounts: the file, the command that makes it, who is let in, and under which id they speak."""

import asyncio
import io
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from storage import new_annotator
from tests.serving import settings_in
from ui.access.accounts import ATTEMPTS, ATTEMPTS_OF_ADDRESS, Accounts, Login, main
from ui.access.admin import AdminGate
from ui.access.identity import Identity
from ui.access.request import Client, current_client
from ui.build import build
from ui.settings import Settings
from usam.errors import RequestError

PASSWORD = "correct horse"
STRANGER, OWN = Client("203.0.113.9"), Client("127.0.0.1", own_machine=True)


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path / "accounts")
    made.save("ann", PASSWORD)
    made.save("bob", PASSWORD)
    return made


def request(name: str | None, client: Client = STRANGER) -> Any:
    return SimpleNamespace(username=name, state=SimpleNamespace(client=client))


def test_the_file_tells_no_password_and_is_private(accounts: Accounts) -> None:
    text = accounts.file.read_text()
    assert PASSWORD not in text
    assert stat.S_IMODE(accounts.file.stat().st_mode) == 0o600
    (_, salt, hashed), (_, other_salt, other) = (line.split(":") for line in text.splitlines())
    assert salt != other_salt
    assert hashed != other, "the same password is another hash"


def test_only_the_right_password_matches(accounts: Accounts) -> None:
    assert accounts.matches("ann", PASSWORD)
    for name, password in (
        ("ann", "wrong horse"),
        ("ann", ""),
        ("ann", "\ud800"),
        ("eve", PASSWORD),
        ("eve", ""),
    ):
        assert not accounts.matches(name, password)
    accounts.save("ann", "another horse")
    assert accounts.matches("ann", "another horse")
    assert not accounts.matches("ann", PASSWORD)
    accounts.remove("ann")
    assert not accounts.matches("ann", "another horse")
    assert accounts.matches("bob", PASSWORD)


class Caller:
    """Logs in from one address."""

    def __init__(self, login: Login, client: Client) -> None:
        self.login = login
        self.client = client

    def admits(self, name: str, password: str) -> bool:
        token = current_client.set(self.client)
        try:
            return asyncio.run(self.login.admits(name, password))
        finally:
            current_client.reset(token)


@pytest.mark.parametrize("client", [STRANGER, OWN])
def test_passwords_of_a_name_cannot_be_tried_out_fast(accounts: Accounts, client: Client) -> None:
    caller = Caller(Login(accounts), client)
    for _ in range(ATTEMPTS):
        assert not caller.admits("ann", "a guess at it")
    assert not caller.admits("ann", PASSWORD)
    assert caller.admits("bob", PASSWORD)
    assert not caller.admits("127.0.0.1", PASSWORD)


def test_who_tries_out_a_name_does_not_shut_it_out_elsewhere(accounts: Accounts) -> None:
    login = Login(accounts)
    for _ in range(ATTEMPTS + 1):
        Caller(login, STRANGER).admits("ann", "a guess at it")
    assert Caller(login, Client("198.51.100.1")).admits("ann", PASSWORD)
    assert Caller(login, OWN).admits("ann", PASSWORD)


def test_one_address_does_not_try_out_all_names(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Accounts, "matches", lambda self, name, password: password == PASSWORD)
    caller = Caller(Login(accounts), STRANGER)
    for number in range(ATTEMPTS_OF_ADDRESS):
        assert not caller.admits(f"name{number}", "a guess at it")
    assert not caller.admits("ann", PASSWORD)


def test_logging_in_often_shuts_nobody_out(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Accounts, "matches", lambda self, name, password: True)
    caller = Caller(Login(accounts), STRANGER)
    assert all(caller.admits("ann", PASSWORD) for _ in range(5 * ATTEMPTS_OF_ADDRESS))


@pytest.mark.parametrize("name", ["", "1st", "a:b", "a b", "a\nb", "x" * 40, "127.0.0.1"])
def test_a_name_that_would_break_the_file_is_refused(accounts: Accounts, name: str) -> None:
    before = accounts.file.read_text()
    with pytest.raises(ValueError, match="begins with a letter"):
        accounts.save(name, PASSWORD)
    assert accounts.file.read_text() == before


def test_the_command_adds_changes_and_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "accounts"

    def run(*words: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return main([str(file), *words])

    assert run("ann", typed=f"{PASSWORD}\n") == 0
    assert Accounts(file).matches("ann", PASSWORD)
    assert run("ann", typed="short\n") == 2
    assert "at least 10" in capsys.readouterr().err
    assert Accounts(file).matches("ann", PASSWORD)
    assert run("eve", "--remove") == 2
    assert run("ann", "--remove") == 0
    assert Accounts(file).passwords() == {}


def test_an_unusable_file_ends_the_start_instead_of_opening_to_all(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    with pytest.raises(ValueError, match="cannot be read"):
        build(settings_in(tmp_path / "data", accounts=file))
    file.write_text("ann:no hash\n")
    with pytest.raises(ValueError, match="Line 1"):
        build(settings_in(tmp_path / "data", accounts=file))


def test_accounts_and_admins_come_from_the_environment(tmp_path: Path) -> None:
    settings = Settings.from_environment({"USAM_ACCOUNTS": f"{tmp_path}/good", "USAM_ADMINS": "ann, bob"})
    assert settings.accounts == tmp_path / "good"
    assert settings.admins == {"ann", "bob"}
    assert str(tmp_path / "good") in settings.private_paths()


def test_sign_in_with_hugging_face_is_on_only_where_spaces_set_it_up() -> None:
    both = {"SPACE_ID": "me/studio", "OAUTH_CLIENT_ID": "x"}
    assert Settings.from_environment(both).oauth
    for name in both:
        assert not Settings.from_environment({name: both[name]}).oauth


def test_an_account_speaks_under_one_id_that_its_name_does_not_tell() -> None:
    identity = Identity("secret", named=True)
    ann = identity.annotator("kept-by-the-browser", request("ann"))
    assert identity.annotator("", request("ann")) == ann
    assert identity.annotator("", request("bob")) != ann
    assert Identity("another", named=True).annotator("", request("ann")) != ann
    assert "ann" not in ann
    assert identity.annotator("kept-by-the-browser", request(None)) == "kept-by-the-browser"
    assert identity.annotator(ann, request(None)) not in (ann, ""), "who signed out is nobody's heir"
    assert identity.of_account(request(None)) is None


def test_a_profile_of_hugging_face_is_an_account_too() -> None:
    identity = Identity("secret", frozenset({"ann"}), named=True)
    profile = gr.OAuthProfile({"name": "Ann A.", "preferred_username": "ann", "profile": "", "picture": ""})
    assert identity.account(request(None), profile) == "ann"
    assert identity.is_admin(request(None), profile)
    assert not Identity("secret", frozenset({"ann"})).is_admin(request("ann"), profile), "no accounts here"


def test_the_dashboard_opens_to_admins_and_to_the_password() -> None:
    identity = Identity("secret", frozenset({"ann"}), named=True)

    def refusal(gate: AdminGate, who: Any, typed: str = "") -> str | None:
        try:
            gate.require(typed, who)
        except RequestError as error:
            return str(error)
        return None

    for gate in (AdminGate("", identity), AdminGate("sesame", identity)):
        assert refusal(gate, request("ann")) is None
        assert refusal(gate, request("bob")) is not None
        assert refusal(gate, request(None, OWN)) is not None
    assert "USAM_ADMINS" in str(refusal(AdminGate("", identity), request("bob")))
    assert refusal(AdminGate("sesame", identity), request("bob"), "sesame") is None
    with pytest.raises(RequestError, match="password"):
        AdminGate("sesame", identity).require_password("sesam", STRANGER)


def test_an_id_in_a_browser_is_good_only_with_its_signature() -> None:
    identity = Identity("secret", signing_key="one")
    mine = identity.annotator("", request(None))
    assert identity.verified(identity.signed(mine)) == mine
    forged = Identity("secret", signing_key="another").signed(mine)
    for sent in (mine, forged, f"{mine}~", f"{mine}~\ud83d", "someone", "", None, ["x"], "~", "a~b~c"):
        assert identity.verified(sent) == "", sent
    other = identity.annotator("", request(None))
    swapped = f"{other}~{identity.signed(mine).partition('~')[2]}"
    assert identity.verified(swapped) == ""


def test_the_id_of_an_account_cannot_be_sent_without_its_signature() -> None:
    """The key that accounts' ids are made with is told to every page, so that anybody can reckon them out."""
    identity = Identity("secret", named=True)
    ann = identity.annotator("", request("ann"))
    assert identity.verified(ann) == ""
    assert identity.verified(identity.signed(ann)) == ann


def test_ids_that_browsers_were_given_before_go_on() -> None:
    identity = Identity("secret")
    before = new_annotator()
    assert identity.verified(before) == before
    assert identity.verified(identity.signed(before)) == before


def test_a_program_speaks_under_any_name_but_those_of_browsers_and_accounts() -> None:
    identity = Identity("secret", named=True)
    mine, ann = identity.annotator("", request(None)), identity.annotator("", request("ann"))
    for name in ("someone", "team.a_1", new_annotator()):
        assert identity.of_program(name, request(None)) == name
    assert identity.of_program("someone", request("ann")) == ann
    assert identity.of_program(identity.signed(mine), request(None)) == mine
    for name in (mine, ann, f"{mine}~forged"):
        with pytest.raises(RequestError, match="Choose a name"):
            identity.of_program(name, request(None))


def test_the_signing_key_is_sent_to_no_page(tmp_path: Path) -> None:
    app = build(settings_in(tmp_path), lambda progress: None)  # type: ignore[arg-type, return-value]
    secrets, config = app.studio.secrets, repr(app.demo.config)
    assert secrets.browser in config
    assert not any(secret in config for secret in (secrets.signing, secrets.cookie, secrets.addresses))
