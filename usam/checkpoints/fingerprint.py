"""Identifies checkpoints."""

import hashlib
from pathlib import Path


def fingerprint(checkpoint: Path) -> str:
    """Identifies a checkpoint by its weights and configs."""
    digest = hashlib.sha256()
    for file in sorted([*checkpoint.rglob("*.safetensors"), *checkpoint.rglob("*config.json")]):
        digest.update(file.relative_to(checkpoint).as_posix().encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]
