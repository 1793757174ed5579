"""Text as every supported database can hold it."""


def clean(text: str) -> str:
    """The text as every database can hold it: lone surrogates and NUL become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
