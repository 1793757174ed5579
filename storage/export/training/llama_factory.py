"""LLaMA-Factory's sharegpt format: `conversations` with an `<audio>` tag, `chosen` and `rejected` or
`kto_tag`, and `audios`; `dataset_info.json` describes the files to it."""

import json
from pathlib import Path
from typing import Any

from storage.export.audit import Audit
from storage.export.reader import Message, Reader, reply
from storage.export.training import jsonl
from storage.export.training.dpo import pairs
from storage.export.training.kto import labelled
from storage.export.training.tagged import tagged, untagged, with_audio

FILES = (*jsonl.FILES, "dataset_info.json")

_ROLES = {"user": "human", "assistant": "gpt"}


def write_pairs(reader: Reader, folder: Path, audit: Audit) -> None:
    """For DPO and reward models."""
    found = ((pair.prompt, pair) for pair in pairs(reader, audit))
    samples = (
        (
            prompt,
            {
                "conversations": [_turn(message) for message in tagged(prompt)],
                "chosen": _turn(*reply(untagged(pair.chosen.text))),
                "rejected": _turn(*reply(untagged(pair.rejected.text))),
                **prompt.audios(),
            },
        )
        for prompt, pair in with_audio(found, audit)
    )
    jsonl.write_splits(samples, folder, audit)
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "audios": "audios"}
    _describe(folder, audit, {"ranking": True, "columns": columns})


def write_labels(reader: Reader, folder: Path, audit: Audit) -> None:
    """For KTO."""
    found = ((prompt, (text, label)) for prompt, text, label in labelled(reader, audit))
    samples = (
        (
            prompt,
            {
                "conversations": [_turn(m) for m in (*tagged(prompt), *reply(untagged(text)))],
                "kto_tag": label,
                **prompt.audios(),
            },
        )
        for prompt, (text, label) in with_audio(found, audit)
    )
    jsonl.write_splits(samples, folder, audit)
    _describe(
        folder, audit, {"columns": {"messages": "conversations", "kto_tag": "kto_tag", "audios": "audios"}}
    )


def _turn(message: Message) -> Message:
    return {"from": _ROLES[message["role"]], "value": message["content"]}


def _describe(folder: Path, audit: Audit, kind: dict[str, Any]) -> None:
    """One entry a file that has rows: an empty export describes nothing."""
    sets = {
        f"usam_{Path(name).stem}": {"file_name": name, "formatting": "sharegpt", **kind}
        for name in jsonl.FILES
        if audit.rows[name]
    }
    if sets:
        (folder / "dataset_info.json").write_text(json.dumps(sets, indent=2) + "\n", "utf-8")
