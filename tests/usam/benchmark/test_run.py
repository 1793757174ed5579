"""The benchmark: best against best, and a clear sentence for whatever is missing."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests import tiny
from usam.audio.samples import SAMPLE_RATE
from usam.benchmark import answers, decoders, run
from usam.benchmark.decoders import Models
from usam.benchmark.llamacpp import LlamaCppError
from usam.benchmark.run import bench, best, best_ratios, table
from usam.cli.main import main
from usam.engine.engine import Engine
from usam.errors import RequestError, UsamError
from usam.llm.llama import LlamaStepDecoder
from usam.weights.catalogue import SMOLLM2, Model

NAMES = ("usam nf4", "llama.cpp", "transformers nf4", "transformers bf16")
SPEEDS = {
    "1 thread": dict(zip(NAMES, (100.0, 125.0, 20.0, 40.0), strict=True)),
    "2 thread": dict(zip(NAMES, (104.0, 50.0, 26.0, 26.0), strict=True)),
}


class NoLlamaCpp:
    def __init__(self, llm: Model, threads: int) -> None:
        raise LlamaCppError("pip cannot install it for this Python.")


@pytest.fixture
def small(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny model in place of the real one, and a machine on which llama.cpp cannot be installed."""
    llm = tiny.llm()
    ids = tiny.tokenizer()("Once upon a time", return_tensors="pt").input_ids
    monkeypatch.setattr(Models, "load", lambda config: Models(llm, llm, LlamaStepDecoder(llm), ids, SMOLLM2))
    monkeypatch.setattr(Engine, "load", lambda checkpoint: engine)
    monkeypatch.setattr(decoders, "LlamaCpp", NoLlamaCpp)
    monkeypatch.setattr(decoders, "ANSWERS", (4, 8))


def test_the_headline_holds_best_against_best() -> None:
    assert best_ratios(SPEEDS) == {
        "decode_vs_llamacpp": pytest.approx(104 / 125, abs=1e-3),
        "decode_vs_transformers_nf4": pytest.approx(104 / 26),
        "decode_vs_transformers_bf16": pytest.approx(104 / 40),
    }
    assert best(SPEEDS)["llama.cpp"] == {"tokens_per_s": 125.0, "threads": "1 thread"}


def test_a_runtime_that_was_not_measured_has_no_ratio() -> None:
    without = {threads: {k: v for k, v in of.items() if "llama" not in k} for threads, of in SPEEDS.items()}
    assert best_ratios(without)["decode_vs_llamacpp"] is None


@pytest.mark.usefixtures("small")
def test_without_clips_and_llamacpp_the_rest_is_measured_and_what_is_left_out_is_reported(
    tmp_path: Path,
) -> None:
    reports: list[str] = []
    found = bench(rounds=1, tokens=4, plot=tmp_path / "speed.png", report=reports.append)
    assert found["transcripts"] is None
    assert found["ratios"].keys() == {
        "decode_vs_llamacpp",
        "decode_vs_transformers_nf4",
        "decode_vs_transformers_bf16",
    }
    assert found["ratios"]["decode_vs_llamacpp"] is None
    assert found["ratios"]["decode_vs_transformers_nf4"] > 0
    assert any("--data" in line for line in reports)
    assert any("llama.cpp" in line for line in reports)
    rows = table(found).splitlines()
    assert any(line.startswith("best") and "decode_vs_llamacpp" in line for line in rows)
    assert (tmp_path / "speed.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--rounds", "0"], "round"),
        (["--tokens", "0"], "tokens"),
        (["--tokens", "1000000"], "tokens"),
        (["--data", "nowhere"], "nowhere"),
        (["--plot", "nowhere/speed.png"], "nowhere"),
        (["--checkpoint", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_met_is_one_sentence_before_anything_is_loaded(
    options: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load(checkpoint: Path) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Engine, "load", load)
    assert main(["bench", *options]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert sentence in line


def test_first_tokens_are_measured_on_the_wordiest_speech_cut_to_each_length(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [(torch.full((SAMPLE_RATE,), level), "word " * words) for level, words in ((0.1, 2), (0.9, 40))]
    speech = run.dense(clips)
    assert speech[:SAMPLE_RATE].mean() > speech[SAMPLE_RATE:].mean()
    heard: list[float] = []
    ask = Engine.ask

    def spy(self: Engine, source: Any, *given: Any, **options: Any) -> Any:
        heard.append(len(source[1]) / SAMPLE_RATE)
        return ask(self, source, *given, **options)

    monkeypatch.setattr(Engine, "ask", spy)
    found = answers.answers(engine, 1, torch.cat([speech] * 20))
    assert heard == [10.0, 3.0, 10.0, 10.0, 20.0, 30.0, 10.0]
    assert list(found["first_token_s"]) == ["3 s", "10 s", "20 s", "30 s"]


def test_the_checkpoint_that_is_named_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class LoadedError(Exception): ...

    def load(checkpoint: Path) -> None:
        raise LoadedError(checkpoint)

    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(Engine, "load", load)
    with pytest.raises(LoadedError, match=tmp_path.name):
        bench(checkpoint=tmp_path)


def test_a_corpus_without_held_out_speech_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        "path,seconds,kind,label_or_transcript,language,speaker_or_group,licence\n", encoding="utf-8"
    )
    with pytest.raises(RequestError, match=tmp_path.name):
        bench(data=tmp_path)


@pytest.mark.usefixtures("small")
def test_a_llamacpp_that_stops_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stops:
        def __init__(self, llm: Model, threads: int) -> None:
            self.asked = 0

        def __enter__(self) -> "Stops":
            return self

        def __exit__(self, *exception: object) -> None: ...

        def tokens_per_second(self, prompt: str, tokens: int) -> float:
            self.asked += 1
            if self.asked > 2:
                raise LlamaCppError("it stopped while it was measured.")
            return 1.0

    monkeypatch.setattr(decoders, "LlamaCpp", Stops)
    with pytest.raises(UsamError, match="stopped"):
        bench(rounds=1, tokens=4, report=lambda message: None)


def test_machines_without_proc_are_described_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(self: Path) -> str:
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", unreadable)
    assert run.machine()["processor"]
    assert answers.resident_mb() is None
