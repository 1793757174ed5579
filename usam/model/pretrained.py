"""The folders of the pretrained models that a configuration names: its encoders and its language model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from usam.config import USAMConfig
from usam.encoders.registry import ENCODERS
from usam.llm.finding import find_llm
from usam.llm.registry import LLMS
from usam.progress import ProgressCallback
from usam.quantization import choose_precision
from usam.weights import cache
from usam.weights.catalogue import Model


@dataclass(frozen=True)
class Pretrained:
    """The folder of each encoder by its name, and that of the language model."""

    encoders: Mapping[str, Path]
    llm: Path


def fetch(config: USAMConfig | str = "mini", progress: ProgressCallback | None = None) -> Pretrained:
    """The pretrained models of a configuration, or of a preset; downloaded and converted if they are missing.

    Raises WeightsError, and RequestError for a name that is not known.
    """
    config = USAMConfig.from_preset(config) if isinstance(config, str) else config
    wanted = models(config)
    folders = cache.fetch(wanted, progress)
    found = {model.directory: folder for model, folder in zip(wanted, folders, strict=True)}

    def folder(source: Model | Path | None) -> Path:
        return found[source.directory] if isinstance(source, Model) else source or Path()

    encoders = {name: folder(ENCODERS[name].source) for name in config.encoder_names}
    if config.llm_name in LLMS:
        return Pretrained(encoders, folder(LLMS[config.llm_name].source))
    precision = choose_precision("none")
    return Pretrained(encoders, find_llm(config.llm_name, precision, progress or (lambda *_: None)))


def models(config: USAMConfig) -> list[Model]:
    """Those models of the catalogue that a configuration is made of."""
    sources = [ENCODERS[name].source for name in config.encoder_names]
    if config.llm_name in LLMS:
        sources.append(LLMS[config.llm_name].source)
    return [source for source in sources if isinstance(source, Model)]
