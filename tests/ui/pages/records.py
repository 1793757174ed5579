"""Answers as they are stored, for the pages that show many of them."""

import hashlib
from typing import Any

HOSTILE = "<img src=x onerror='document.title=1'> $x & \"y\""


def record(number: int, **changes: Any) -> dict[str, Any]:
    weights = [0.8, 0.2] if number % 2 else [0.4, 0.6]
    return {
        "answer": f"answer {number}",
        "task": "qa",
        "question": "What?",
        "heard": {
            "start": 0.0, "end": 1.0, "duration": 1.0, "sha256": hashlib.sha256(b"clip").hexdigest(),
        },
        "timings": {},
        "model": {"preset": "mini", "fingerprint": "f00d", "quantization": "nf4", "device": "cpu"},
        "prompt": "",
        "seed": number,
        "temperature": 0.7 if number % 2 else 0.0,
        "experts": ["speech", HOSTILE],
        "tokens": [{"routing": weights, "redundant": number % 3 == 0}],
        **changes,
    }  # fmt: skip
