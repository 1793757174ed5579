"""TRL's conversational reward format, the prompt within: `{"chosen": [...], "rejected": [...]}`, `audios`."""

from pathlib import Path

from storage.export.audit import Audit
from storage.export.reader import Reader, reply
from storage.export.training.dpo import pairs
from storage.export.training.jsonl import FILES, write_splits

__all__ = ["FILES", "write"]


def write(reader: Reader, folder: Path, audit: Audit) -> None:
    samples = (
        (
            pair.prompt,
            {
                "chosen": [*pair.prompt.messages, *reply(pair.chosen.text)],
                "rejected": [*pair.prompt.messages, *reply(pair.rejected.text)],
                **pair.prompt.audios(),
            },
        )
        for pair in pairs(reader, audit)
    )
    write_splits(samples, folder, audit)
