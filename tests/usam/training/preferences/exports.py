"""Exports as `python -m storage export` writes them, about clips of noise."""

import hashlib
import json
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests import tiny

PERSON, OTHER = "0123456789abcdef", "fedcba9876543210"


def clip(folder: Path, number: int) -> Path:
    """A second of noise, named by its hash as kept audio is."""
    samples = tiny.clip(0.4, seed=number).waveform.mul(32767).short().numpy().tobytes()
    file = folder / f"{hashlib.sha256(samples).hexdigest()}.wav"
    with wave.open(str(file), "wb") as audio:
        audio.setparams((1, 2, 16_000, len(samples) // 2, "NONE", ""))
        audio.writeframes(samples)
    return file


def pair(file: Path, chosen: str, rejected: str, question: str = "What?", **about: Any) -> dict[str, Any]:
    return {
        "evidence": "comparison",
        "clip": file.stem,
        "task": "qa",
        "prompt": [{"role": "user", "content": question}],
        "audios": [str(file)],
        "annotator": PERSON,
        "weight": 1.0,
        "chosen": chosen,
        "rejected": rejected,
        **about,
    }


def thumb(file: Path, answer: str, label: bool, **about: Any) -> dict[str, Any]:
    row = pair(file, "", "")
    del row["chosen"], row["rejected"]
    return {**row, "evidence": "thumb", "completion": answer, "label": label, **about}


def write(folder: Path, rows: Iterable[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
