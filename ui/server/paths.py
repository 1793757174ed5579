"""Which route of Gradio's a request is for."""

from __future__ import annotations

from starlette.types import Scope

GRADIO_API = "/gradio_api"


def route_path(scope: Scope) -> str:
    """The path as routes are matched against: without the prefix that the app is mounted under."""
    path: str = scope["path"]
    prefix = scope.get("root_path", "").rstrip("/")
    return path[len(prefix) :] if prefix and path.startswith(f"{prefix}/") else path


def is_upload(scope: Scope) -> bool:
    """Whether a request is a file for Gradio's upload route: its exact path, a POST of a form with files.
    No other request may be as long as a file."""
    if scope["method"] != "POST" or route_path(scope) != f"{GRADIO_API}/upload":
        return False
    kinds = [value for name, value in scope["headers"] if name == b"content-type"]
    return len(kinds) == 1 and kinds[0].split(b";")[0].strip().lower() == b"multipart/form-data"
