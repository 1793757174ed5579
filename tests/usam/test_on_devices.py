"""Answers and training on a GPU, with tiny random weights; the same on the CPU, so that tests stay true."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import WhisperConfig

from tests import tiny
from tests.usam.training.preferences.exports import clip, pair, thumb, write
from usam.data.corpus import Example
from usam.data.instructions import Instruction
from usam.data.scenes import Part, Scene
from usam.data.scenes.questions import Names, SceneInstructor
from usam.encoders import MusiCNN, Whisper, YAMNet
from usam.encoders.whisper import FROZEN_LAYERS
from usam.engine.engine import Engine
from usam.interpretability.attribution import attribute
from usam.interpretability.deletion import deletion_test
from usam.interpretability.intervention import intervene
from usam.model.model import USAM
from usam.model.processor import USAMProcessor
from usam.quantization import choose_precision, quantize
from usam.schema.interventions import DropSpan
from usam.schema.segments import Kind
from usam.schema.tasks import SpeechRequest
from usam.schema.words import Word
from usam.training.execution import Execution, to_device
from usam.training.lora import add_llm_lora
from usam.training.preferences.rows import read_preferences
from usam.training.stages.alignment import alignment_losses
from usam.training.stages.batches import AlignmentBatch, AlignmentItem
from usam.training.stages.instruction_tuning import InstructionBatch, instruction_losses
from usam.training.stages.speaker import fit_speaker_head
from usam.training.stages.word_reading import run_word_reading
from usam.training.trainer import Budget
from usam.training.tuning import TuningOptions, tune

EXECUTIONS = (
    Execution(),
    Execution(bf16=False, accumulation=2, gradient_checkpointing=True, qlora=True),
)
CLIP = (16_000, tiny.clip(1.0).waveform.mul(2**15 - 1).short().numpy())


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def engine(folder: Path, device: str, quantization: str = "none") -> Engine:
    precision = choose_precision(quantization, device)
    model = tiny.model(words=True)
    model.llm = quantize(model.llm, precision)
    return Engine(model.to(precision.device), precision, folder, load_s=0.0)


@pytest.mark.parametrize("quantization", ["none", "nf4", "int8"])
def test_an_engine_answers_searches_and_samples(device: str, quantization: str, tmp_path: Path) -> None:
    if device == "cpu" and quantization != "none":
        pytest.skip("the CPU's kernels need wider layers, and are tested with them elsewhere")
    asked = engine(tmp_path, device, quantization)
    for options in ({}, {"task": "asr"}, {"task": "s2tt"}, {"temperature": 0.8, "seed": 1}):
        answer = asked.ask(CLIP, max_new_tokens=4, **options)  # type: ignore[arg-type]
        assert answer.timings.answer_tokens
        assert len(answer.trace.tokens) == 13
    assert asked.model_info.device.startswith(device)


def test_experiments_and_health(device: str, tmp_path: Path) -> None:
    asked = engine(tmp_path, device)
    clip = tiny.clip(1.0)
    answer = asked.ask(clip, "What is this?", max_new_tokens=4)
    assert intervene(asked, clip, answer, DropSpan(0.2, 0.6)).answer.trace.tokens_dropped
    deletion_test(asked, clip, answer)
    attribute(asked, clip, answer)
    assert asked.health()["distinct"]


@pytest.mark.parametrize("move", [False, True])
def test_generate_takes_inputs_from_anywhere(device: str, move: bool) -> None:
    model = tiny.model(words=True).to(device)
    inputs = USAMProcessor(tiny.tokenizer())(audio=[CLIP, CLIP], text="What is this?", return_tensors="pt")
    if move:
        inputs = inputs.to(device)
    assert model.generate(**inputs, max_new_tokens=3).shape == (2, 3)


def test_the_encoders_hear_a_clip_on_the_cpu(device: str) -> None:
    whisper = Whisper(
        WhisperConfig(d_model=16, encoder_layers=FROZEN_LAYERS, encoder_attention_heads=2, encoder_ffn_dim=8)
    )
    classes = tuple(f"class {index}" for index in range(5))
    for encoder in (whisper, YAMNet(classes), MusiCNN()):
        frames = encoder.to(device).eval().frames(tiny.clip(3.5).waveform)
        assert frames.device.type == device
        assert frames.shape[-1] == encoder.dim
    assert MusiCNN().to(device).eval().scores(tiny.clip(3.5).waveform).shape[-1] == 50


def aligned(model: USAM, kinds: Sequence[Kind]) -> AlignmentBatch:
    """A clip of each kind; speech has a transcript of three pieces."""
    frames = torch.randn(len(kinds), 32, sum(tiny.DIMS))
    mask = torch.ones(len(kinds), 32, dtype=torch.bool)
    asked = [torch.tensor(model.prompts.ids("What is this?"))] * len(kinds)
    items = []
    for kind in kinds:
        example = Example(Path("clip"), 1.0, kind, None, None, "group", "source", "", "")
        spoken = torch.tensor([1, 2, 3]) if kind == "speech" else None
        items.append(AlignmentItem(example, spoken, label=() if spoken is not None else ("rain",)))
    silent = [kind for kind in kinds if kind != "speech"]
    words = torch.full((len(silent), 8, 51), 1 / 51) if silent else None
    return AlignmentBatch(frames, mask, items, asked, words)


@pytest.fixture
def trained(device: str) -> USAM:
    """A tiny model with a Whisper, on the device."""
    sizes = WhisperConfig(
        d_model=tiny.DIMS[0], encoder_layers=FROZEN_LAYERS + 1, encoder_attention_heads=1, encoder_ffn_dim=8
    )
    model = USAM(tiny.adapter(), tiny.llm(), tiny.tokenizer(), [Whisper(sizes)]).to(device)
    model.llm.requires_grad_(False)
    return model.train()


def test_the_losses_of_both_stages(device: str, trained: USAM) -> None:
    clips = to_device(aligned(trained, ("speech", "sound", "music")), trained.device)
    losses: dict[str, Callable[[], dict[str, torch.Tensor]]] = {
        "alignment": lambda: alignment_losses(trained, clips, 0, saclm_from=0),
        "instructions": lambda: instruction_losses(trained, Random(0), True, instructed(trained, clips), 0),
    }
    for name, found in losses.items():
        loss = found()["loss"]
        assert loss.device.type == device, name
        loss.backward()
        assert torch.isfinite(loss), name


def instructed(model: USAM, clips: AlignmentBatch) -> InstructionBatch:
    count = len(clips.items)
    batch = InstructionBatch(
        clips,
        [Instruction("sound", "What is this?", "Rain.")] * count,
        [model.prompts.build("What is this?")] * count,
        [model.prompts.answer("Rain.")] * count,
    )
    return to_device(batch, model.device)


class Same(SceneInstructor):
    """Asks one question of every scene."""

    def draw(self, scene: Scene, random: Random) -> Instruction:
        return Instruction("sound", "What?", "Rain.")


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_words_are_learnt_and_gone_on_with(device: str, execution: Execution, tmp_path: Path) -> None:
    def draw(random: Random) -> Scene:
        return Scene(
            (Part("sound", ("rain",)),), ((), (Word(0.0, 0.4, "rain", 0.8, " (", ")"),), ()), 0.4, None
        )

    for steps in (2, 3):
        model = tiny.model(words=True).to(device)
        if execution.qlora:
            model.llm.to(torch.bfloat16)
        add_llm_lora(model, execution=execution)
        names = Names(("rain",), ("rain",), ("rain",))
        run_word_reading(
            model, draw, Same(names), Budget(steps=steps), tmp_path, Random(0), size=2, execution=execution
        )
        state = torch.load(tmp_path / "state.pt", weights_only=True, map_location="cpu")
        assert state["step"] == steps
        assert all(value.isfinite().all() for value in state["parameters"].values())


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_a_checkpoint_is_tuned_from_every_kind_of_judgement(
    device: str, execution: Execution, tmp_path: Path
) -> None:
    model = tiny.model(words=True).to(device)
    if execution.qlora:
        model.llm.to(torch.bfloat16)
    add_llm_lora(model, execution=execution)
    clips = [clip(tmp_path, number) for number in range(9)]
    rows = [pair(file, "A dog.", "A cat or a dog.") for file in clips]
    rows += [thumb(file, "A dog.", number % 2 == 0) for number, file in enumerate(clips)]
    marks = [{"start": 0.0, "end": 0.2, "mattered": True}]
    rows += [{**thumb(file, "A dog.", True), "evidence": "tokens", "marks": marks} for file in clips]
    for row in rows[-len(clips) :]:
        del row["label"]
    (tmp_path / "parent").mkdir()
    (tmp_path / "parent" / "config.json").write_text("{}")
    options = TuningOptions(
        export=write(tmp_path / "export", rows),
        work=tmp_path / "work",
        output=tmp_path / "tuned",
        checkpoint=tmp_path / "parent",
        budget=Budget(steps=3),
        replayed=4,
        asked_again=2,
        execution=execution,
    )
    record = tune(model, read_preferences(options.export), options, lambda message: None).record
    assert record["rows"]["counts"] == {"comparison": 9, "thumb": 9, "tokens": 9}
    assert [check["step"] for check in record["checks"]] == [3]
    assert record["checks"][0]["loss"] == pytest.approx(record["before"]["loss"], rel=0.2)  # of three steps


def test_the_speaker_head_is_fitted(device: str) -> None:
    head = tiny.model(words=True).adapter.speaker
    assert head is not None
    head.requires_grad_(True).to(device)
    voices = torch.randn(30, head.mean.shape[0]) + torch.arange(30).remainder(3)[:, None] * 4
    assert fit_speaker_head(head, voices, torch.arange(30).remainder(3)) > 0.9


def test_a_clip_heard_on_the_device_moves_frames_alone(device: str) -> None:
    model = tiny.model(words=True).to(device)
    hearing = model.hear(tiny.clip(1.0).waveform, SpeechRequest())
    assert hearing.frames.device.type == device
    assert replace(hearing.heard).waveform.device.type == "cpu"
