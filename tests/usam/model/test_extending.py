"""The example of docs/extending.md, as it stands there."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests import tiny
from tests.repository.documents import document
from usam.encoders.registry import ENCODERS
from usam.llm.registry import LLMS, LLMSpec
from usam.presets import PRESETS


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tiny language model in the place of the one that the example names."""
    folder = tmp_path / "llm"
    tiny.llm(576, layers=1).save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    for registry in (ENCODERS, LLMS, PRESETS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))  # type: ignore[attr-defined]
    name = "SmolLM2-135M-Instruct"
    monkeypatch.setitem(LLMS._entries, name, LLMSpec(name, 576, folder))


def test_the_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).normal(size=16_000) * 0.1
    soundfile.write("clip.wav", noise, 16_000)
    [example] = document("docs/extending.md").blocks("python")
    scope: dict[str, object] = {"__name__": "example"}
    exec(compile(example, "docs/extending.md", "exec"), scope)
    assert capsys.readouterr().out
    engine = scope["engine"]
    trace = engine.ask("clip.wav", "What is this?", max_new_tokens=2).trace  # type: ignore[attr-defined]
    assert len(trace.tokens) == 13
    assert engine.model_info.preset == "bands"  # type: ignore[attr-defined]
