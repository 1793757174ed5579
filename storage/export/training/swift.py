"""ms-swift's format: `messages` with an `<audio>` tag and the preferred answer, `rejected_response` or
`label`, and `audios`."""

from pathlib import Path

from storage.export.audit import Audit
from storage.export.reader import Asked, Message, Reader, reply
from storage.export.training.dpo import pairs
from storage.export.training.jsonl import FILES, write_splits
from storage.export.training.kto import labelled
from storage.export.training.tagged import heard, tagged, untagged

__all__ = ["FILES", "write_labels", "write_pairs"]


def write_pairs(reader: Reader, folder: Path, audit: Audit) -> None:
    """For DPO and reward models."""
    found = ((pair.asked, pair) for pair in pairs(reader, audit))
    samples = (
        (
            asked,
            {
                "messages": _messages(asked, pair.chosen.text),
                "rejected_response": untagged(pair.rejected.text),
                **asked.audios(),
            },
        )
        for asked, pair in heard(found, audit)
    )
    write_splits(samples, folder, audit)


def write_labels(reader: Reader, folder: Path, audit: Audit) -> None:
    """For KTO."""
    found = ((asked, (text, label)) for asked, text, label in labelled(reader, audit))
    samples = (
        (asked, {"messages": _messages(asked, text), "label": label, **asked.audios()})
        for asked, (text, label) in heard(found, audit)
    )
    write_splits(samples, folder, audit)


def _messages(asked: Asked, text: str) -> list[Message]:
    return [*tagged(asked), *reply(untagged(text))]
