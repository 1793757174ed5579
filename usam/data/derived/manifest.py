"""Clips of speech that are made from others: written once into a folder, and read back from its manifest."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from usam.data.corpus import Example


def made_once(
    folder: Path, source: str, count: int, write: Callable[[int], dict[str, Any]]
) -> Iterator[Example]:
    """The examples of `count` clips. `write(index)` makes one and returns its `file` and the fields of its
    example; it is called only where there is no manifest yet."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.jsonl"
    if not manifest.exists():
        manifest.write_text("\n".join(json.dumps(write(index)) for index in range(count)))
    for line in map(json.loads, manifest.read_text().splitlines()):
        path = folder / line.pop("file")
        made = Example(path, 0.0, "speech", None, None, f"{source}:{path.stem}", source, "", "en")
        yield replace(made, **line)
