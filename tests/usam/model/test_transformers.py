"""At home in transformers: a saved folder and its Auto classes, without a network and without our caches."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, BitsAndBytesConfig

from tests import tiny
from usam.config import USAMConfig
from usam.encoders.registry import ENCODERS, EncoderSpec
from usam.errors import RequestError
from usam.llm.registry import LLMS, LLMSpec
from usam.model.hub_options import HubOptions, hub_options
from usam.model.model import USAM
from usam.model.processor import USAMProcessor

ROOT = Path(__file__).parents[3]
SOURCES = "USAM_TEST_SOURCES"  # where the plugin's entries say that their weights are


def _load(name: str, dim: int, rate: float) -> Callable[[Path], tiny.ToyEncoder]:
    """A toy encoder that reads its projection from a folder."""

    def load(folder: Path) -> tiny.ToyEncoder:
        encoder = tiny.ToyEncoder(name, dim, rate)
        encoder.projection.copy_(load_file(folder / "model.safetensors")["projection"])  # type: ignore[operator]
        return encoder

    return load


def entries(sources: Path) -> tuple[list[EncoderSpec], LLMSpec]:
    """Tiny encoders and a tiny language model with their weights in folders of `sources`."""
    parts = zip(("speech", "audio", "music"), tiny.DIMS, tiny.RATES, strict=True)
    encoders = [
        EncoderSpec(name, name, dim, rate, 16_000, sources / name, _load(name, dim, rate))  # type: ignore[arg-type]
        for name, dim, rate in parts
    ]
    return encoders, LLMSpec("tiny-llm", 32, sources / "llm")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of tiny weights, which are in the registries."""
    folder = tmp_path / "sources"
    encoders, llm = entries(folder)
    for encoder in encoders:
        (folder / encoder.name).mkdir(parents=True)
        weights = {"projection": torch.randn(20, encoder.dim)}
        save_file(weights, folder / encoder.name / "model.safetensors")
    tiny.llm().save_pretrained(folder / "llm")
    tiny.tokenizer().save_pretrained(folder / "llm")
    monkeypatch.setattr(ENCODERS, "_entries", {encoder.name: encoder for encoder in encoders})
    monkeypatch.setattr(LLMS, "_entries", {llm.name: llm})
    return folder


@pytest.fixture
def saved(known: Path, tmp_path: Path) -> Path:
    """A folder with everything in it."""
    model = USAM.from_config(tiny.config())
    model.adapter = tiny.adapter()
    model.adapter.attach(model.embeddings.weight)
    model.save_pretrained(tmp_path / "saved", with_pretrained=True)
    return tmp_path / "saved"


PROGRAM = dedent("""
    import socket, sys

    def refuse(*_, **__):
        raise AssertionError("the network was used")

    socket.socket.connect = refuse
    import numpy as np
    import torch
    from transformers import AutoModel, AutoProcessor

    folder = sys.argv[1]
    assert "usam" not in sys.modules
    processor = AutoProcessor.from_pretrained(folder, trust_remote_code=True)
    model = AutoModel.from_pretrained(folder, trust_remote_code=True, device_map="cpu")
    audio = np.sin(np.arange(16_000) / 20).astype(np.float32)
    inputs = processor(audio=audio, text="What is this?", return_tensors="pt").to("cpu")
    ids = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    print(ids[0].tolist())
    processor.batch_decode(ids, skip_special_tokens=True)
""")

PLUGIN = dedent("""
    import os
    from pathlib import Path
    from tests.usam.model.test_transformers import entries
    ENCODERS, LLM = entries(Path(os.environ["USAM_TEST_SOURCES"]))
    SPEECH, AUDIO, MUSIC = ENCODERS
""")


@pytest.mark.slow
def test_a_saved_folder_loads_by_the_auto_classes_on_a_machine_without_a_network(
    saved: Path, known: Path, tmp_path: Path
) -> None:
    import numpy as np

    audio = np.sin(np.arange(16_000) / 20).astype(np.float32)
    inputs = USAMProcessor.from_pretrained(saved)(audio=audio, text="What is this?")
    expected = USAM.from_pretrained(saved).generate(**inputs, max_new_tokens=8, do_sample=False)
    plugin = tmp_path / "plugin"
    (plugin / "plugin-1.0.dist-info").mkdir(parents=True)
    (plugin / "plugin_entries.py").write_text(PLUGIN)
    (plugin / "plugin-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: plugin\nVersion: 1\n"
    )
    (plugin / "plugin-1.0.dist-info" / "entry_points.txt").write_text(
        "[usam.encoders]\nspeech = plugin_entries:SPEECH\naudio = plugin_entries:AUDIO\n"
        "music = plugin_entries:MUSIC\n[usam.llms]\ntiny-llm = plugin_entries:LLM\n"
    )
    moved = shutil.move(saved, tmp_path / "elsewhere")
    shutil.rmtree(known)  # whatever is read comes from the folder
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(plugin)]),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "1",
        "USAM_HOME": str(tmp_path / "empty"),
        SOURCES: str(known),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(moved)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(expected[0].tolist())


def test_a_folder_that_was_loaded_by_the_auto_classes_is_saved_as_before(saved: Path, tmp_path: Path) -> None:
    again = AutoModel.from_pretrained(saved, trust_remote_code=True)
    assert isinstance(again, USAM)
    again.save_pretrained(tmp_path / "again")
    assert {file.name for file in (tmp_path / "again").iterdir()} == {file.name for file in saved.iterdir()}
    assert (tmp_path / "again" / "config.json").read_text() == (saved / "config.json").read_text()


def test_without_the_pretrained_parts_they_are_named_alone(known: Path, tmp_path: Path) -> None:
    USAM.from_config(tiny.config()).save_pretrained(tmp_path / "small")
    assert not (tmp_path / "small" / "pretrained").exists()
    assert USAM.from_pretrained(tmp_path / "small").config.llm_name == "tiny-llm"
    with pytest.raises(RequestError, match="not known where"):
        tiny.model().save_pretrained(tmp_path / "none", with_pretrained=True)
    assert not (tmp_path / "none").exists()


def test_a_language_model_of_another_width_is_refused_in_a_sentence(known: Path) -> None:
    with pytest.raises(Exception, match="tiny-llm has embeddings 32 wide; the adapter was made for 48"):
        USAM.from_config(USAMConfig(**tiny.config().to_dict() | {"llm_dim": 48}))


@pytest.mark.cuda
@pytest.mark.parametrize("four_bits", [False, True])
def test_a_saved_folder_answers_on_a_gpu(saved: Path, four_bits: bool) -> None:
    nf4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4") if four_bits else None
    model = USAM.from_pretrained(saved, device_map="cuda", quantization_config=nf4)
    inputs = USAMProcessor.from_pretrained(saved)(audio=tiny.clip(1.0), text="What is this?")
    for prepared in (inputs, inputs.to(model.device)):
        assert model.generate(**prepared, max_new_tokens=3).device.type == "cuda"


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, HubOptions()),
        ({"device_map": "auto", "dtype": "auto", "trust_remote_code": True}, HubOptions()),
        ({"device_map": {"": 0}, "dtype": torch.bfloat16}, HubOptions(device="cuda:0")),
        ({"device_map": "cpu", "revision": "v1"}, HubOptions(device="cpu", hub={"revision": "v1"})),
        (
            {"quantization_config": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")},
            HubOptions("nf4"),
        ),
        ({"quantization_config": BitsAndBytesConfig(load_in_8bit=True)}, HubOptions("int8")),
    ],
)
def test_transformers_options_mean_what_they_say(options: dict[str, Any], wanted: HubOptions) -> None:
    assert hub_options(options) == wanted


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": torch.float16},
        {"attn_implementation": "flash_attention_2"},
        {"device_map": {"llm": 0, "adapter": 1}},
        {"quantization_config": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="fp4")},
        {"quantization_config": {"quant_method": "gptq"}},
    ],
)
def test_an_option_that_would_be_ignored_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        hub_options(options)


def test_the_processor_has_tensors_of_pytorch_alone() -> None:
    with pytest.raises(RequestError, match="pt"):
        USAMProcessor(tiny.tokenizer())(audio=tiny.clip(0.5), return_tensors="np")
