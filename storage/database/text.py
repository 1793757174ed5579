"""Text as every supported database can hold it."""

from typing import Any


def clean(text: str) -> str:
    """The text as every database can hold it: lone surrogates and NUL become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def clean_json(value: Any) -> Any:
    """The same for every text in a JSON value but the keys."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: clean_json(one) for key, one in value.items()}
    return [clean_json(one) for one in value] if isinstance(value, list | tuple) else value
