"""A model whose adapter nobody trained: it reads the words of the encoders' heads, and nothing else."""

from pathlib import Path

import pytest
import torch

from tests import tiny
from tests.usam.model.test_other_llm import tokenizer
from usam.adapter.untrained import untrained_adapter
from usam.config import USAMConfig
from usam.encoders.registry import ENCODERS
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.llm.chat_prompts import GUIDE, ChatPromptBuilder
from usam.model.loading import load_adapter, preset_checkpoint
from usam.model.model import USAM
from usam.model.pretrained import fetch
from usam.presets import PRESETS, register_preset
from usam.quantization import choose_precision
from usam.weights.catalogue import CED_BASE, MERT_95M, WHISPER_SMALL

SIZES = {"words": True, "anchor_tokens": 1, "chat_template": True, "beta": 0.2}


@pytest.fixture
def model() -> USAM:
    parts = tiny.model()
    adapter = untrained_adapter(tiny.config(**SIZES))
    encoders, streams = list(parts.encoders), tiny.word_streams()
    built = USAM(adapter, tiny.llm(), tokenizer(), encoders, word_streams=streams)  # type: ignore[arg-type]
    return built.eval().requires_grad_(False)


def test_the_words_are_read_as_they_are_and_all_else_is_redundant(model: USAM, tmp_path: Path) -> None:
    engine = Engine(model, choose_precision("none", "cpu"), tmp_path, load_s=0.0)
    clip = tiny.clip(2.0)
    answer = engine.ask(clip, "What is it?", max_new_tokens=3)
    tokens = answer.trace.tokens
    assert any(token.words for token in tokens)
    every = engine.audio_tokens_of(clip, answer, every=True)
    assert every.informative is not None
    informative = every.by_token(every.informative.float())[0].bool().tolist()
    assert informative[-10:] == [False] * 10  # nothing is said in the second second
    for token, says in zip(tokens, informative, strict=True):
        assert token.dropped == token.redundant == (not says)
    assert GUIDE in answer.prompt
    audio = engine.audio_tokens_of(clip, answer)
    read = audio.tokens[0][audio.mask[0]].float()
    pieces = model.embeddings.weight.float()
    alike = torch.nn.functional.cosine_similarity(read[:, None], pieces[None], dim=-1).amax(-1)
    assert float(alike.min()) > 0.98


def test_the_same_configuration_gives_the_same_adapter() -> None:
    one, other = (untrained_adapter(tiny.config(**SIZES)).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_preset_without_a_checkpoint_is_loaded_untrained_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USAM_HOME", str(tmp_path))
    monkeypatch.setattr(PRESETS, "_entries", dict(PRESETS._entries))
    sizes = {"hidden_size": 24, "num_heads": 2, "llm_dim": 32, "expert_size": 8, "feedforward_size": 8}
    register_preset("tiny", {**SIZES, **sizes})
    register_preset("wordless", sizes)
    folder = preset_checkpoint("tiny")
    assert load_adapter(folder).config.chat_template
    assert load_adapter(folder).config.preset == "tiny"
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert preset_checkpoint("tiny") == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]
    with pytest.raises(RequestError, match="no trained checkpoint of the preset 'wordless'"):
        preset_checkpoint("wordless")
    assert preset_checkpoint("mini").name == "mini"


def test_the_papers_preset_is_fetched_from_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def snapshot(name: str, revision: str, allow_patterns: list[str]) -> str:
        asked.append(name)
        assert not any(pattern.endswith(".py") for pattern in allow_patterns)
        return str(tmp_path / name)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    monkeypatch.setattr("usam.model.pretrained.find_llm", lambda name, *_: tmp_path / name)
    found = fetch("paper")
    assert asked == [WHISPER_SMALL.name, CED_BASE.name, MERT_95M.name]
    assert found.llm == tmp_path / "meta-llama" / "Llama-3.1-8B-Instruct"
    config = USAMConfig.from_preset("paper")
    assert [ENCODERS[name].sample_rate for name in config.encoder_names] == [16_000, 16_000, 24_000]
    assert isinstance(untrained_prompts(config), ChatPromptBuilder)


def untrained_prompts(config: USAMConfig) -> object:
    """The prompts of a tiny model with that configuration's template."""
    sizes = {**SIZES, "chat_template": config.chat_template}
    return USAM(untrained_adapter(tiny.config(**sizes)), tiny.llm(), tokenizer()).prompts
