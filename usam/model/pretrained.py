"""The folders of the pretrained models that a configuration names: its encoders and its language model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from usam.checkpoints.layout import pretrained_folder
from usam.config import USAMConfig
from usam.encoders.registry import ENCODERS
from usam.llm.finding import find_llm
from usam.llm.registry import LLMS
from usam.progress import ProgressCallback
from usam.quantization import choose_precision
from usam.weights import cache
from usam.weights.catalogue import HubRepository, Model
from usam.weights.sources import repository


@dataclass(frozen=True)
class Pretrained:
    """The folder of each encoder by its name, and that of the language model."""

    encoders: Mapping[str, Path]
    llm: Path


def fetch(
    config: USAMConfig | str = "mini",
    progress: ProgressCallback | None = None,
    checkpoint: Path | None = None,
) -> Pretrained:
    """The pretrained models of a configuration, or of a preset; downloaded and converted if they are missing.

    Those that `checkpoint` holds itself are taken from there. Raises WeightsError, and RequestError for a
    name that is not known.
    """
    config = USAMConfig.from_preset(config) if isinstance(config, str) else config
    held = _held(config, checkpoint)
    wanted = models(config, held)
    folders = cache.fetch(wanted, progress)
    found = {model.directory: folder for model, folder in zip(wanted, folders, strict=True)}

    def folder(source: Model | HubRepository | Path | None) -> Path:
        if isinstance(source, Model):
            return found[source.directory]
        return repository(source) if isinstance(source, HubRepository) else source or Path()

    encoders = {name: held.get(name) or folder(ENCODERS[name].source) for name in config.encoder_names}
    llm = held.get(config.llm_name)
    if llm is None and config.llm_name in LLMS:
        llm = folder(LLMS[config.llm_name].source)
    if llm is None:
        llm = find_llm(config.llm_name, choose_precision("none"), progress or (lambda *_: None))
    return Pretrained(encoders, llm)


def models(config: USAMConfig, without: Collection[str] = ()) -> list[Model]:
    """Those models of the catalogue that a configuration is made of, but for those of these names."""
    sources: list[Model | HubRepository | Path | None]
    sources = [ENCODERS[name].source for name in config.encoder_names if name not in without]
    if config.llm_name in LLMS and config.llm_name not in without:
        sources.append(LLMS[config.llm_name].source)
    return [source for source in sources if isinstance(source, Model)]


def _held(config: USAMConfig, checkpoint: Path | None) -> dict[str, Path]:
    """The folders of those encoders and that language model that lie in the checkpoint's own folder."""
    if checkpoint is None:
        return {}
    folders = {name: pretrained_folder(checkpoint, name) for name in (*config.encoder_names, config.llm_name)}
    return {name: folder for name, folder in folders.items() if folder.is_dir()}
