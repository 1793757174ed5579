"""Answers with what people marked in their clips: `{"prompt": [...], "completion": [...], "spans": [...]}`,
and `audios`. A span has a start and an end in seconds of the kept audio, a label, and perhaps a comment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage.export.audit import Audit
from storage.export.reader import Prompt, Reader, reply
from storage.export.training.jsonl import FILES, write_splits

__all__ = ["FILES", "write"]


def write(reader: Reader, folder: Path, audit: Audit) -> None:
    def samples() -> Iterator[tuple[Prompt, dict[str, Any]]]:
        for prompt, text, marked in reader.spans():
            audit.read["spans"] += len(marked)
            yield prompt, {**prompt.to_json(), "completion": reply(text), "spans": marked}

    write_splits(samples(), folder, audit)
