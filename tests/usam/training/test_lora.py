"""LoRA on the speech encoder, above the layers whose frames are kept, and over a language model in 4 bits."""

from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import WhisperConfig

from tests import tiny
from usam.checkpoints.layout import SPEECH_LORA
from usam.encoders import Whisper
from usam.encoders.base import placement
from usam.encoders.whisper import FROZEN_LAYERS
from usam.llm.lora import merge_lora
from usam.model.loading import frozen_encoders
from usam.model.model import USAM
from usam.training.execution import Execution
from usam.training.lora import add_llm_lora, add_speech_lora


@pytest.fixture
def whisper() -> Whisper:
    torch.manual_seed(0)
    sizes = WhisperConfig(
        d_model=16, encoder_layers=FROZEN_LAYERS + 2, encoder_attention_heads=2, encoder_ffn_dim=32
    )
    return Whisper(sizes).eval().requires_grad_(False)


def test_whispers_upper_layers_take_up_where_the_lower_end_whatever_the_padding(whisper: Whisper) -> None:
    waveform = torch.randn(16_000).mul(0.1)
    whole = whisper.frames(waveform)
    hidden = whisper.lower(waveform)
    padded = torch.nn.functional.pad(hidden, (0, 0, 0, 13))[None]
    mask = torch.arange(len(hidden) + 13)[None] < len(hidden)
    assert torch.allclose(whisper.upper(padded, mask)[0, : len(hidden)], whole, atol=1e-5)


def test_only_the_upper_layers_are_tuned_and_come_back_merged(whisper: Whisper, tmp_path: Path) -> None:
    waveform = torch.randn(8_000).mul(0.1)
    lower, before = whisper.lower(waveform), whisper.frames(waveform)
    model = USAM(tiny.adapter(), tiny.llm(), tiny.tokenizer(), [whisper])
    base = {name: value.clone() for name, value in whisper.encoder.state_dict().items()}
    add_speech_lora(model)
    for name, parameter in whisper.named_parameters():
        if "lora_B" in name:
            assert int(name.split(".layers.")[1].split(".")[0]) >= FROZEN_LAYERS
            nn.init.normal_(parameter, std=0.3)
    tuned = whisper.frames(waveform)
    assert torch.equal(whisper.lower(waveform), lower)
    assert not torch.allclose(tuned, before, atol=1e-3)
    model.save_pretrained(tmp_path)
    again = Whisper(whisper.encoder.config)
    again.encoder.load_state_dict(base)
    again.encoder = merge_lora(again.encoder, tmp_path / SPEECH_LORA)  # type: ignore[assignment]
    assert torch.allclose(again.eval().frames(waveform), tuned, atol=1e-4)


def test_the_encoders_that_answer_are_those_of_the_index(
    monkeypatch: pytest.MonkeyPatch, whisper: Whisper
) -> None:
    """Without a LoRA folder nothing is merged; Whisper alone answers in bfloat16."""
    other = tiny.ToyEncoder("speech", 6, 50.0)
    for parts in ((whisper, tiny.ToyEncoder("audio", 5, 50.0)), (other,)):
        monkeypatch.setattr("usam.model.loading.load_encoders", lambda folders, config, parts=parts: parts)
        assert frozen_encoders({}, None, Path("nowhere")) == parts
    assert placement(whisper)[1] == torch.bfloat16
    assert other.projection.dtype == torch.float32


def test_gradients_pass_4_bit_layers_that_were_read_without_any_before() -> None:
    model = USAM(tiny.adapter(llm_dim=64), tiny.llm(dim=64), tiny.tokenizer())
    add_llm_lora(model, execution=Execution(qlora=True))
    ids, gradients = torch.arange(3, 12)[None], []
    for _ in range(2):
        model.llm.train()
        model.llm.zero_grad()
        model.llm(input_ids=ids, labels=ids).loss.backward()
        gradients.append([p.grad.clone() for p in model.llm.parameters() if p.grad is not None])
        model.llm.eval()
        with torch.no_grad():
            model.llm(input_ids=ids)
    assert gradients[0]
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
