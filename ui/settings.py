"""The app's settings, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url

from storage import StorageError, data_folder
from storage.annotation.spans import LABELS
from storage.files import local_folder
from storage.ratings.validation import DIMENSIONS, checked_names

MEGABYTE = 2**20
CACHE_SECONDS = 24 * 3600
SHORTEST_SECRET = 16
BESIDE_DATABASE = "audio", "project_clips", "imports", "downloads", "preparing", "cache", "backups"
"""Folders that the app makes there."""


@dataclass(frozen=True)
class Settings:
    """What an administrator can choose.

    data: folder of the database and of kept audio (absolute). database_url: an SQLAlchemy URL. storage: see
    `storage.files.open_files`; None: the data folder. replica: names this process among several; empty: it is
    alone. max_seconds: the longest span of a clip that is heard at once. max_upload_mb: the largest file
    taken. at_once: how many answers are written at once, in turns. max_waiting: how many questions may be
    asked and unanswered, max_waiting_each: how many of them may be one visitor's. per_minute: how many
    questions, and how many ratings by the API, one visitor may send a minute; 0 is no limit. dimensions: what
    answers are scored on. span_labels: what spans are marked as. repeat_share: of what the annotation queue
    shows a person, how much they have rated before. judgements: how many people's an answer waits for in the
    queue; None: everyone's. retention_days, backup_hours: see `storage.maintenance.scheduler`; None: never.
    snapshots: folder of `storage.maintenance.snapshots` (absolute); None: there are none. checkpoints: a
    folder of further checkpoints to ask the same. evaluation: a folder of labelled clips on which a tuned
    checkpoint is compared with its parent; None: it is not. secret: what `ui.access.secrets` are made from;
    empty: they are kept in the database. dashboard_password, admins: who Dashboard, Browse, Teach and
    Projects open to (`ui.access.admin`). accounts: file of `ui.access.accounts`; None: nobody has to sign in.
    oauth: whether people can sign in with Hugging Face. mcp: whether assistants are offered `ui.api.mcp`.
    metrics: see `MetricsAccess.of`. json_log: whether the log is lines of JSON. proxies: how many the
    visitors come through (`ui.access.request`). embedders: origins whose pages hold the app
    (`ui.access.cross_origin`). space, space_hosts: whether this is a Space, and its names. container: whether
    the app runs in one.
    """

    data: Path
    database_url: str
    storage: str | None = None
    replica: str = ""
    preset: str = "mini"
    llm: str | None = None
    quantization: str = "nf4"
    checkpoints: Path | None = None
    evaluation: Path | None = None
    max_seconds: float = 30.0
    max_upload_mb: int = 1024
    at_once: int = 3
    max_waiting: int = 32
    max_waiting_each: int = 8
    per_minute: int = 30
    dimensions: tuple[str, ...] = DIMENSIONS
    span_labels: tuple[str, ...] = LABELS
    repeat_share: float = 0.1
    judgements: int | None = None
    retention_days: float | None = None
    backup_hours: float | None = None
    snapshots: Path | None = None
    secret: str = field(default="", repr=False)
    dashboard_password: str = field(default="", repr=False)
    accounts: Path | None = None
    admins: frozenset[str] = frozenset()
    oauth: bool = False
    mcp: bool = False
    metrics: str = field(default="", repr=False)
    json_log: bool = False
    proxies: int = 0
    embedders: tuple[str, ...] = ()
    space: bool = False
    space_hosts: tuple[str, ...] = ()
    container: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Raises ValueError with a plain sentence when a variable is not what it must be."""
        data = data_folder()
        return cls(
            data=data,
            database_url=environ.get("USAM_DATABASE_URL") or sqlite_url(data),
            storage=environ.get("USAM_STORAGE") or None,
            replica=_replica(environ),
            preset=environ.get("USAM_PRESET") or cls.preset,
            llm=environ.get("USAM_LLM") or None,
            quantization=environ.get("USAM_QUANTIZATION") or cls.quantization,
            checkpoints=_folder(environ, "USAM_CHECKPOINTS"),
            evaluation=_folder(environ, "USAM_EVALUATION"),
            max_seconds=_number(environ, "USAM_MAX_SECONDS", cls.max_seconds, 1, 30),
            max_upload_mb=int(_number(environ, "USAM_MAX_UPLOAD_MB", cls.max_upload_mb, 1, 1024)),
            at_once=int(_number(environ, "USAM_AT_ONCE", cls.at_once, 1, 8)),
            max_waiting=int(_number(environ, "USAM_MAX_WAITING", cls.max_waiting, 1, 1000)),
            max_waiting_each=int(_number(environ, "USAM_MAX_WAITING_EACH", cls.max_waiting_each, 1, 1000)),
            per_minute=int(_number(environ, "USAM_PER_MINUTE", cls.per_minute, 0, 10_000)),
            dimensions=_names(environ, "USAM_DIMENSIONS", "dimension", cls.dimensions),
            span_labels=_names(environ, "USAM_SPAN_LABELS", "label", cls.span_labels),
            repeat_share=_number(environ, "USAM_REPEAT_SHARE", cls.repeat_share, 0, 0.5),
            judgements=_count(environ, "USAM_JUDGEMENTS"),
            retention_days=_positive(environ, "USAM_RETENTION_DAYS"),
            backup_hours=_positive(environ, "USAM_BACKUP_HOURS"),
            snapshots=_path(environ.get("USAM_SNAPSHOTS")),
            secret=_secret(environ),
            dashboard_password=environ.get("USAM_DASHBOARD_PASSWORD") or cls.dashboard_password,
            accounts=_path(environ.get("USAM_ACCOUNTS")),
            admins=frozenset(environ.get("USAM_ADMINS", "").replace(",", " ").split()),
            oauth={"SPACE_ID", "OAUTH_CLIENT_ID"} <= set(environ),  # as Spaces set them
            mcp=_mcp(environ),
            metrics=_metrics(environ),
            json_log=_choice(environ, "USAM_LOG", ("text", "json")) == "json",
            proxies=_proxies(environ),
            embedders=_origins(environ, "USAM_EMBEDDERS"),
            space="SPACE_ID" in environ,
            space_hosts=_space_hosts(environ),
            container=in_container(environ),
        )

    def private_paths(self) -> list[str]:
        """Folders and files that are never served."""
        stored = local_folder(self.storage) if self.storage else None
        paths = [self.data, *(path for path in (self.accounts, self.snapshots, stored) if path)]
        url = make_url(self.database_url)
        if url.get_backend_name() == "sqlite" and url.database:
            file = Path(url.database).expanduser().resolve()
            paths += [
                file,
                *(file.with_name(name) for name in BESIDE_DATABASE),
                *(file.with_name(file.name + tail) for tail in ("-wal", "-shm", ".lock")),
            ]
        return [str(path) for path in paths]


def _metrics(environ: Mapping[str, str]) -> str:
    access = environ.get("USAM_METRICS", "")
    if access and access != "open" and len(access) < SHORTEST_SECRET:
        raise ValueError(f"USAM_METRICS must be open, or a token of at least {SHORTEST_SECRET} characters.")
    return access


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of the choices, the first by default."""
    chosen = environ.get(name) or choices[0]
    if chosen not in choices:
        raise ValueError(f"{name} must be {' or '.join(choices)}, not {chosen!r}.")
    return chosen


def _replica(environ: Mapping[str, str]) -> str:
    name = environ.get("USAM_REPLICA", "")
    if not re.fullmatch(r"[a-z0-9-]{0,32}", name):
        raise ValueError(f"USAM_REPLICA must be letters from a to z, digits and hyphens, not {name!r}.")
    return name


def _secret(environ: Mapping[str, str]) -> str:
    secret = environ.get("USAM_SECRET", "")
    if secret and len(secret) < SHORTEST_SECRET:
        raise ValueError(f"USAM_SECRET must have at least {SHORTEST_SECRET} characters.")
    return secret


def _mcp(environ: Mapping[str, str]) -> bool:
    if environ.get("USAM_MCP", "0") in ("", "0"):
        return False
    if environ["USAM_MCP"] != "1":
        raise ValueError(f"USAM_MCP must be 0 or 1, not {environ['USAM_MCP']!r}.")
    if environ.get("USAM_ACCOUNTS"):
        raise ValueError("USAM_MCP does not ask for accounts: set it or USAM_ACCOUNTS, not both.")
    return True


def in_container(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in a container, whose visitors all come through another program."""
    marks = (Path("/.dockerenv"), Path("/run/.containerenv"))  # of Docker, of Podman
    return any(mark.exists() for mark in marks) or not {"container", "KUBERNETES_SERVICE_HOST"}.isdisjoint(
        environ
    )


def _proxies(environ: Mapping[str, str]) -> int:
    """How many proxies visitors come through; Spaces have one."""
    number = _read(environ, "USAM_BEHIND_PROXY")
    if number is None:
        return int("SPACE_ID" in environ)
    if not (0 <= number <= 10 and number == int(number)):
        raise ValueError(
            f"USAM_BEHIND_PROXY must be a whole number from 0 to 10, not {environ['USAM_BEHIND_PROXY']!r}."
        )
    return int(number)


def _origins(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The origins in a list parted by commas or spaces, as browsers write them."""
    origins = environ.get(name, "").replace(",", " ").lower().split()
    for origin in origins:
        if not re.fullmatch(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", origin):
            raise ValueError(f"{name} must name origins such as https://wiki.example.org, not {origin!r}.")
    return tuple(dict.fromkeys(origins))


def _space_hosts(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The names that a Space is reached by; none elsewhere."""
    return tuple(environ.get("SPACE_HOST", "").replace(",", " ").split()) if "SPACE_ID" in environ else ()


def sqlite_url(folder: Path) -> str:
    """The database file in a data folder."""
    return URL.create("sqlite", database=str(folder / "feedback.db")).render_as_string()


def _number(environ: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    number = _read(environ, name)
    if number is None:
        return default
    if not low <= number <= high:
        raise ValueError(f"{name} must be a number from {low} to {high}, not {environ[name]!r}.")
    return number


def _path(name: str | None) -> Path | None:
    return Path(name).expanduser().resolve() if name else None


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    folder = _path(environ.get(name))
    if folder and not folder.is_dir():
        raise ValueError(f"{name} must be an existing folder, not {environ[name]!r}.")
    return folder


def _names(environ: Mapping[str, str], variable: str, kind: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a list parted by commas, each once; an empty list is none."""
    text = environ.get(variable)
    if text is None:
        return default
    try:
        return checked_names(text, kind)
    except StorageError as error:
        raise ValueError(f"{variable} cannot be {text!r}. {error}") from error


def _count(environ: Mapping[str, str], name: str) -> int | None:
    """A whole number from 1 on, None where the variable is not set."""
    number = _read(environ, name)
    if number is None:
        return None
    if not (1 <= number < 1e6 and number == int(number)):
        raise ValueError(f"{name} must be a whole number of at least 1, not {environ[name]!r}.")
    return int(number)


def _positive(environ: Mapping[str, str], name: str) -> float | None:
    """A number above 0, None where the variable is not set."""
    number = _read(environ, name)
    if number is not None and not 0.0 < number < 1e5:
        raise ValueError(f"{name} must be a number above 0, not {environ[name]!r}.")
    return number


def _read(environ: Mapping[str, str], name: str) -> float | None:
    """A variable's number, NaN if it is none, None where it is not set."""
    text = environ.get(name)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return float("nan")
