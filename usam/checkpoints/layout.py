"""What a checkpoint folder holds: config.json and model.safetensors of the adapter, and the names below."""

import json
import shutil
from pathlib import Path
from typing import Any

LORA = "lora"
"""Folder of the language model's LoRA, in peft's format."""
SPEECH_LORA = "speech_lora"
"""Folder of the LoRA of the speech encoder's upper layers."""
ROUTING = "routing.json"
"""What the evaluation measured of the router on real clips."""
PRETRAINED = "pretrained"
"""Folder of the frozen encoders' and the language model's own folders, where a checkpoint holds them too."""
TRAINING = "training.json"
"""The settings that it was trained with."""
CARD = "README.md"
"""The model card."""


def bundled(preset: str = "mini") -> Path:
    """The folder of the checkpoint that comes with the package, which need not exist."""
    return bundled_checkpoints() / preset


def bundled_checkpoints() -> Path:
    """The folder of all checkpoints that come with the package."""
    return Path(__file__).parent


def measured_routing(checkpoint: Path | None) -> Any:
    """What the evaluation found about the checkpoint's router, or None if it was not evaluated."""
    file = checkpoint / ROUTING if checkpoint else None
    return json.loads(file.read_text()) if file and file.exists() else None


def pretrained_folder(checkpoint: Path, name: str) -> Path:
    """Where a checkpoint holds an encoder or a language model of that name, if it does."""
    return checkpoint / PRETRAINED / name.replace("/", "--")


def copy_companions(source: Path, target: Path) -> None:
    """Copy what belongs to a checkpoint beside the adapter, unless the target has its own."""
    for name in (CARD, ROUTING, TRAINING):
        if (source / name).is_file() and not (target / name).exists():
            shutil.copyfile(source / name, target / name)
    for name in (LORA, SPEECH_LORA, PRETRAINED):
        if (source / name).is_dir() and not (target / name).exists():
            shutil.copytree(source / name, target / name)
