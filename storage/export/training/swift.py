"""ms-swift's format: `messages` with an `<audio>` tag and the preferred answer, `rejected_response` or
`label`, and `audios`."""

from pathlib import Path

from storage.export.audit import Audit
from storage.export.reader import Message, Prompt, Reader, reply
from storage.export.training.dpo import pairs
from storage.export.training.jsonl import FILES, write_splits
from storage.export.training.kto import labelled
from storage.export.training.tagged import tagged, untagged, with_audio

__all__ = ["FILES", "write_labels", "write_pairs"]


def write_pairs(reader: Reader, folder: Path, audit: Audit) -> None:
    """For DPO and reward models."""
    found = ((pair.prompt, pair) for pair in pairs(reader, audit))
    samples = (
        (
            prompt,
            {
                "messages": _messages(prompt, pair.chosen.text),
                "rejected_response": untagged(pair.rejected.text),
                **prompt.audios(),
            },
        )
        for prompt, pair in with_audio(found, audit)
    )
    write_splits(samples, folder, audit)


def write_labels(reader: Reader, folder: Path, audit: Audit) -> None:
    """For KTO."""
    found = ((prompt, (text, label)) for prompt, text, label in labelled(reader, audit))
    samples = (
        (prompt, {"messages": _messages(prompt, text), "label": label, **prompt.audios()})
        for prompt, (text, label) in with_audio(found, audit)
    )
    write_splits(samples, folder, audit)


def _messages(prompt: Prompt, text: str) -> list[Message]:
    return [*tagged(prompt), *reply(untagged(text))]
