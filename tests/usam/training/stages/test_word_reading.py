"""The stage of words: what it lowers, what it moves, and that it goes on where it stopped."""

from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor

from tests import tiny
from usam.data.instructions import Instruction
from usam.data.scenes import Part, Scene
from usam.data.scenes.imagination import Imagination, Material
from usam.data.scenes.questions import Names, SceneInstructor
from usam.model.model import USAM
from usam.schema.words import Word
from usam.training.lora import add_llm_lora
from usam.training.stages.word_reading import collate, reading_losses, run_word_reading
from usam.training.trainer import Budget, trainable

TOKEN = 0.08
SOUNDS = ("rain", "wind")


def scene(name: str, tokens: Tensor | None = None) -> Scene:
    return Scene((Part("sound", (name,)),), ((), (Word(0.0, 0.4, name, 0.8, " (", ")"),), ()), 0.4, tokens)


@pytest.fixture
def model() -> USAM:
    built = tiny.model(words=True)
    add_llm_lora(built)
    return built


class Same(SceneInstructor):
    """Asks one question of every scene."""

    def draw(self, scene: Scene, random: Random) -> Instruction:
        return Instruction("sound", "What?", f"{scene.parts[0].names[0]}.")


INSTRUCTOR = Same(Names(SOUNDS, SOUNDS, SOUNDS))


def draw(random: Random) -> Scene:
    return scene(random.choice(SOUNDS))


def given(model: USAM, *scenes: Scene) -> dict[str, float]:
    instructions = [INSTRUCTOR.draw(one, Random(0)) for one in scenes]
    losses = reading_losses(model, collate(model, scenes, instructions), 0)
    return {name: float(loss.detach()) for name, loss in losses.items()}


def train(model: USAM, folder: Path, steps: int) -> None:
    run_word_reading(model, draw, INSTRUCTOR, Budget(steps=steps), folder, Random(0), size=4, rate=2e-2)


def test_a_few_steps_lower_the_loss_and_move_lora_words_and_predictor_alone(
    model: USAM, tmp_path: Path
) -> None:
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    loss = given(model, scene("rain"), scene("wind"))
    train(model, tmp_path, 12)
    model.eval()
    after = given(model, scene("rain"), scene("wind"))
    assert after["answer"] < 0.9 * loss["answer"]
    assert after["informative"] < loss["informative"]
    moved = {
        name
        for name, value in model.named_parameters()
        if not torch.equal(value, before[name]) and "base_layer" not in name  # rounded, not trained
    }
    kinds = {"lora_", "adapter.words.", "adapter.saclm.predictor."}
    assert {name for name in moved if not any(kind in name for kind in kinds)} == set()
    assert all(any(kind in name for name in moved) for kind in kinds)
    assert set(trainable(model)) >= moved


def test_training_goes_on_where_it_stopped(model: USAM, tmp_path: Path) -> None:
    train(model, tmp_path, 2)
    state = {name: value.clone() for name, value in trainable(model).items()}
    fresh = tiny.model(words=True)
    add_llm_lora(fresh)
    train(fresh, tmp_path, 2)  # the budget is spent: only the state is loaded
    assert {name: value.tolist() for name, value in trainable(fresh).items()} == {
        name: value.tolist() for name, value in state.items()
    }
    train(fresh, tmp_path, 3)
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 3


def test_a_scene_costs_the_same_whatever_it_is_batched_with(model: USAM) -> None:
    real = scene("wind", torch.randn(9, 24, generator=torch.Generator().manual_seed(0)))
    alone = [given(model, one)["answer"] for one in (scene("rain"), real)]
    assert given(model, scene("rain"), real)["answer"] == pytest.approx(sum(alone) / 2, rel=0.02)


def test_an_imagined_clip_is_read_by_its_words_alone(model: USAM) -> None:
    instruction = Instruction("sound", "What?", "Rain.")
    batch = collate(model, [scene("rain"), scene("rain", torch.zeros(9, 24))], [instruction] * 2)
    audio = model.project(batch.tokens, batch.mask, [p.question for p in batch.prompts], batch.words)
    assert audio.informative is not None
    said = batch.words.ids >= 0
    assert torch.equal(audio.informative[0], said[0])
    assert batch.words.spoken[0].sum() == 5
    assert not batch.words.spoken[1].any()
    assert batch.mask.sum(-1).tolist() == [5, 9]


def test_imagined_scenes_of_all_kinds_can_be_learned_from(model: USAM) -> None:
    material = Material({"English": ("Good day to you.",)}, SOUNDS, ("piano", "harp"), {})
    imagination, random = Imagination(material, TOKEN), Random(3)
    instructor = SceneInstructor(Names(SOUNDS, ("piano", "harp"), ("castle",)))
    scenes = [imagination.draw(random) for _ in range(8)]
    assert len({part.kind for one in scenes for part in one.parts}) == 3
    instructions = [instructor.draw(one, random) for one in scenes]
    losses = reading_losses(model, collate(model, scenes, instructions), 0)
    assert all(torch.isfinite(loss) for loss in losses.values())
    losses["loss"].backward()
    tuned = [value for name, value in model.named_parameters() if "lora_B" in name]
    assert all(value.grad is not None and value.grad.any() for value in tuned)
