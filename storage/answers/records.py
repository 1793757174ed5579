"""Converts between the answer as the model reports it (docs/contract.md) and a row of `answers`."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from storage.database.schema import Answer, RecordingAnswer
from storage.database.text import clean
from storage.errors import RecordError


def input_hash(sha256: str, task: str, question: str, history: list[dict[str, str]]) -> str:
    """What an answer answers: equal for the same clip, task, question and earlier turns."""
    asked = json.dumps([sha256, task, question, history], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(asked.encode()).hexdigest()


def checked_sha256(value: str) -> str:
    """Raises RecordError unless `value` is 64 hex digits; it names files."""
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise RecordError("A clip is named by the 64 hex digits of its SHA-256.")
    return value


def checked_fingerprint(value: str) -> str:
    """Raises RecordError unless `value` is empty or 64 hex digits."""
    if not isinstance(value, str) or not re.fullmatch("([0-9a-f]{64})?", value):
        raise RecordError("A fingerprint has 64 hex digits.")
    return value


def token_ids_column(ids: Sequence[int]) -> list[int] | None:
    """The value of the column `token_ids`; None for none. Raises RecordError unless they are token ids."""
    if any(isinstance(id_, bool) or not isinstance(id_, int) or id_ < 0 for id_ in ids):
        raise RecordError("The answer was not recorded: token ids are whole numbers from 0 on.")
    return list(ids) or None


@contextmanager
def refused_as_record() -> Iterator[None]:
    """Raises RecordError where the block meets a part that is missing or of the wrong kind."""
    try:
        yield
    except KeyError as error:
        raise RecordError(f"The answer was not recorded: it lacks {error}.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"The answer was not recorded: {error}.") from error


def model_columns(model: Mapping[str, Any]) -> dict[str, Any]:
    """Column values for an answer's provenance; `model` holds what has no column of its own."""
    rest = dict(model)
    return {
        "preset": clean(rest.pop("preset")),
        "model_fingerprint": clean(rest.pop("fingerprint")),
        "quantization": clean(rest.pop("quantization")),
        "device": clean(rest.pop("device")),
        "model": rest,
    }


def model_record(row: Answer | RecordingAnswer) -> dict[str, Any]:
    """The provenance that `model_columns` came from."""
    return {
        "preset": row.preset,
        "fingerprint": row.model_fingerprint,
        "quantization": row.quantization,
        "device": row.device,
        **row.model,
    }


def answer_columns(record: Mapping[str, Any]) -> dict[str, Any]:
    """Column values for an answer record; keys without a column of their own stay in `trace`.

    Raises RecordError when a part is missing, is of the wrong kind, or holds a number that is not finite.
    """
    with refused_as_record():
        json.dumps(record, allow_nan=False)
        rest = dict(record)
        heard = dict(rest.pop("heard"))
        columns: dict[str, Any] = {
            "clip_sha256": checked_sha256(heard.pop("sha256")),
            "heard_start": float(heard.pop("start")),
            "heard_end": float(heard.pop("end")),
            "clip_duration": float(heard.pop("duration")),
            "task": clean(rest.pop("task")),
            "question": clean(rest.pop("question")),
            "prompt": clean(rest.pop("prompt")),
            "text": clean(rest.pop("answer")),
            "history": [{key: clean(text) for key, text in turn.items()} for turn in rest.pop("history", ())],
            **model_columns(rest.pop("model")),
            "timings": dict(rest.pop("timings")),
            "seed": int(rest.pop("seed")),
            "temperature": float(rest.pop("temperature", 0.0)),
            "max_new_tokens": int(rest.pop("max_new_tokens", 0)),
            "stopped": bool(rest.pop("stopped", False)),
        }
    asked = (columns[key] for key in ("clip_sha256", "task", "question", "history"))
    columns["input_hash"] = input_hash(*asked)
    return {**columns, "trace": {**rest, "heard": heard} if heard else rest}


def answer_record(answer: Answer) -> dict[str, Any]:
    """The record an answer came from, with its `answer_id`, `parent_id` and `created_at` (ISO 8601, UTC)."""
    return {
        **answer.trace,
        "answer": answer.text,
        "task": answer.task,
        "question": answer.question,
        "prompt": answer.prompt,
        "history": answer.history,
        "heard": {
            "start": answer.heard_start,
            "end": answer.heard_end,
            "duration": answer.clip_duration,
            "sha256": answer.clip_sha256,
            **answer.trace.get("heard", {}),
        },
        "timings": answer.timings,
        "model": model_record(answer),
        "seed": answer.seed,
        "temperature": answer.temperature,
        "max_new_tokens": answer.max_new_tokens,
        "stopped": answer.stopped,
        "answer_id": str(answer.id),
        "parent_id": str(answer.parent_id) if answer.parent_id else None,
        "created_at": answer.created_at.isoformat(),
    }
