"""A database in a temporary folder, and answers to put into it."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import Database, Feedback, open_database

Record = dict[str, Any]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'feedback.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def feedback(database: Database) -> Feedback:
    return Feedback(database)


@pytest.fixture
def make_record() -> Callable[..., Record]:
    def make(text: str = "a dog barks", clip: str = "dog", **changes: Any) -> Record:
        token = {
            "start": 1.0,
            "end": 1.33,
            "window": 0,
            "routing": [0.5, 0.25, 0.25],
            "significance": 0.7,
            "predictive": 0.6,
            "text_relevance": 0.8,
            "audio_saliency": 0.8,
            "redundant": False,
        }
        record: Record = {
            "answer": text,
            "task": "qa",
            "question": "What do you hear?",
            "heard": {
                "start": 1.0,
                "end": 4.0,
                "duration": 9.5,
                "sha256": hashlib.sha256(clip.encode()).hexdigest(),
            },
            "timings": {
                "load_s": 1.5,
                "decode_s": 0.1,
                "encode_s": 0.2,
                "first_token_s": 0.4,
                "tokens_per_s": 20.0,
                "answer_tokens": 4,
            },
            "model": {
                "preset": "mini",
                "fingerprint": "f00d",
                "quantization": "nf4",
                "device": "cpu",
                "parameters": 1_000,
                "memory_mb": 300.5,
                "reason": "no GPU",
            },
            "prompt": "<audio> What do you hear?",
            "seed": 7,
            "temperature": 0.5,
            "max_new_tokens": 64,
            "stopped": False,
            "history": [],
            "experts": ["speech", "sound", "music"],
            "tokens": [token, {**token, "start": 1.33, "end": 4.0, "redundant": True}],
            "supervised_by": "question+answer",
            "threshold": 0.5,
        }
        return {**record, **changes}

    return make
