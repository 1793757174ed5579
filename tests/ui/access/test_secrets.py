"""The secrets of an installation: the same for all its processes, and those of before stay."""

from pathlib import Path

from storage import open_database
from tests.serving import settings_in
from ui.access.secrets import Secrets


def test_processes_on_one_database_share_them_and_others_do_not(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "one")
    first, second = (Secrets.of(settings, open_database(settings.database_url)) for _ in range(2))
    assert first == second
    assert len({first.browser, first.signing, first.cookie, first.addresses}) == 4
    assert all(len(secret) >= 32 for secret in vars(first).values())
    assert not any(secret in repr(first) for secret in vars(first).values())
    other = settings_in(tmp_path / "two")
    assert Secrets.of(other, open_database(other.database_url)) != first


def test_what_an_earlier_version_kept_in_files_stays(tmp_path: Path) -> None:
    (tmp_path / "browser-secret").write_text("a" * 32 + "\n")
    (tmp_path / "signing-key").write_text("b" * 32)
    settings = settings_in(tmp_path)
    database = open_database(settings.database_url)
    assert Secrets.of(settings, database).browser == "a" * 32
    (tmp_path / "browser-secret").unlink()
    secrets = Secrets.of(settings, database)
    assert (secrets.browser, secrets.signing) == ("a" * 32, "b" * 32), "also on another machine"


def test_a_secret_of_the_settings_makes_all(tmp_path: Path) -> None:
    made = []
    for folder in ("one", "two"):
        settings = settings_in(tmp_path / folder, secret="x" * 16)
        made.append(Secrets.of(settings, open_database(settings.database_url)))
    assert made[0] == made[1]
    other = settings_in(tmp_path / "three", secret="y" * 16)
    assert Secrets.of(other, open_database(other.database_url)).signing != made[0].signing
