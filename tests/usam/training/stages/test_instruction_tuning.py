"""The loss of stage 2: of all answers, of each kind of question, and with blanks left out now and then."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import WhisperConfig

from tests import tiny
from usam.adapter.tokens import AudioTokens
from usam.data.corpus import Example
from usam.data.instructions import Instruction
from usam.encoders import Whisper
from usam.encoders.whisper import FROZEN_LAYERS
from usam.model.model import USAM
from usam.schema.segments import Kind
from usam.training.lora import add_llm_lora
from usam.training.stages.batches import AlignmentBatch, AlignmentItem
from usam.training.stages.instruction_tuning import InstructionBatch, instruction_losses
from usam.training.stages.losses import SACLM_WEIGHT

ANSWERS = ("a dog", "rain, or perhaps wind", "no")
CATEGORIES = ("sound", "sound", "yesno")
LENGTHS = (32, 20, 12)  # frames


class Always:
    """A `random` that leaves blanks out of every batch, or of none."""

    def __init__(self, drop: bool) -> None:
        self.drop = drop

    def random(self) -> float:
        return 0.0 if self.drop else 1.0


@pytest.fixture
def model() -> USAM:
    """A tiny model with a Whisper, whose upper layers the cached frames still have to pass."""
    sizes = WhisperConfig(
        d_model=tiny.DIMS[0], encoder_layers=FROZEN_LAYERS + 1, encoder_attention_heads=1, encoder_ffn_dim=8
    )
    whisper = Whisper(sizes).eval().requires_grad_(False)
    built = USAM(tiny.adapter(), tiny.llm(), tiny.tokenizer(), [whisper])
    built.llm.requires_grad_(False)
    return built


@pytest.fixture(autouse=True)
def no_spans_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """SpecAugment draws anew for every pass; the losses are compared."""
    monkeypatch.setattr("usam.training.stages.batches.spec_augment", lambda frames: frames)


def batch(model: USAM, rows: tuple[int, ...] = (0, 1, 2), padding: int = 0) -> InstructionBatch:
    """Some of the three clips, with their instructions; `padding` frames of noise behind the longest."""
    torch.manual_seed(0)
    clips = [torch.randn(length, sum(tiny.DIMS)) for length in LENGTHS]
    longest = max(LENGTHS[row] for row in rows) + padding
    frames = torch.stack(
        [torch.cat([clips[row], torch.randn(longest - LENGTHS[row], sum(tiny.DIMS))]) for row in rows]
    )
    mask = torch.arange(longest) < torch.tensor([LENGTHS[row] for row in rows])[:, None]
    items = [AlignmentItem(example("sound"), label=("rain",)) for _ in rows]
    instructions = [Instruction(CATEGORIES[row], "What is this?", ANSWERS[row]) for row in rows]
    prompts = [model.prompts.build(instruction.question) for instruction in instructions]
    answers = [model.prompts.answer(instruction.answer) for instruction in instructions]
    aligned = AlignmentBatch(frames, mask, items, [prompt.question for prompt in prompts], None)
    return InstructionBatch(aligned, instructions, prompts, answers)


def example(kind: Kind) -> Example:
    return Example(Path("clip"), 1.0, kind, None, None, "group", "source", "", "")


def losses(
    model: USAM, of: InstructionBatch, drop: bool = False, with_saclm: bool = True
) -> dict[str, Tensor]:
    return instruction_losses(model, Always(drop), with_saclm, of, 0)  # type: ignore[arg-type]


def values(
    model: USAM, of: InstructionBatch, drop: bool = False, with_saclm: bool = True
) -> dict[str, float]:
    return {name: float(loss.detach()) for name, loss in losses(model, of, drop, with_saclm).items()}


def test_an_llm_that_knows_nothing_pays_the_logarithm_of_its_vocabulary(model: USAM) -> None:
    nn.init.zeros_(model.llm.lm_head.weight)
    found = values(model, batch(model))
    for name in ("answer", "sound", "yesno"):
        assert found[name] == pytest.approx(math.log(len(model.tokenizer)), abs=1e-3)


def test_an_answer_costs_the_same_whatever_it_is_batched_with(model: USAM) -> None:
    alone = [values(model, batch(model, (row,)))["answer"] for row in range(3)]
    together = values(model, batch(model, padding=9))
    assert len({round(cost, 2) for cost in alone}) == 3
    # In bfloat16 the sums of a longer row are rounded elsewhere.
    assert together["answer"] == pytest.approx(sum(alone) / 3, rel=0.01)
    assert together["sound"] == pytest.approx((alone[0] + alone[1]) / 2, rel=0.01)
    assert together["yesno"] == pytest.approx(alone[2], rel=0.01)


def test_only_the_answer_is_learned_not_the_question(model: USAM) -> None:
    one = batch(model, (0,))
    seen = model.assemble(
        AudioTokens(torch.randn(1, 2, 32), torch.ones(1, 2, dtype=torch.bool), torch.ones(1, 2, 3), None),
        one.prompts,
        one.answers,
    )
    labels = seen["labels"][0]
    assert labels[labels >= 0].tolist() == one.answers[0].tolist()
    assert one.answers[0][-1] == model.prompts.end_id


def test_the_loss_is_the_weighted_sum_of_its_parts(model: USAM) -> None:
    found = values(model, batch(model))
    light = found["domain"] + found["saclm"] + found["blank"]
    assert found["loss"] == pytest.approx(found["answer"] + SACLM_WEIGHT * light, rel=1e-5)
    without = values(model, batch(model), with_saclm=False)
    assert without.keys() == found.keys() - {"saclm", "blank"}
    assert without["loss"] == pytest.approx(without["answer"] + SACLM_WEIGHT * without["domain"], rel=1e-5)


def test_gradients_reach_lora_and_the_adapter_and_nothing_that_is_frozen(model: USAM) -> None:
    add_llm_lora(model)
    losses(model, batch(model))["loss"].backward()
    tuned = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert all("lora_" in name for name in tuned if name.startswith("llm."))
    assert not any(name.startswith("encoders.") for name in tuned)
    moved = {name for name, parameter in model.named_parameters() if name in tuned and parameter.grad.any()}
    for part in ("lora_B", "adapter.qformer", "adapter.projector.router", "adapter.saclm.predictor"):
        assert any(part in name for name in moved), part


def test_blanks_are_left_out_of_what_the_llm_reads_and_only_of_that(
    model: USAM, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Tensor] = []
    assemble = model.assemble

    def assembling(audio: AudioTokens, *arguments: object, **options: object) -> dict[str, Tensor]:
        read.append(audio.mask)
        return assemble(audio, *arguments, **options)  # type: ignore[arg-type]

    embed = model.embed_audio

    def embedding(*arguments: object, **options: object) -> AudioTokens:
        audio = embed(*arguments, **options)  # type: ignore[arg-type]
        assert audio.logits is not None
        logits = audio.logits.clone()
        logits[:, 1, -1] = 100.0  # the second token of every clip is a blank for sure
        logits[:, ::2, -1] = -100.0
        return replace(audio, logits=logits)

    monkeypatch.setattr(model, "assemble", assembling)
    monkeypatch.setattr(model, "embed_audio", embedding)
    found = [values(model, batch(model), drop) for drop in (False, True)]
    whole, kept = read
    assert torch.equal(whole.sum(-1), torch.tensor([8, 5, 3]))
    assert not kept[:, 1].any()
    assert kept[:, 0].all()
    assert found[0]["answer"] != found[1]["answer"]
    for name in ("domain", "saclm", "blank"):
        assert found[0][name] == pytest.approx(found[1][name])
