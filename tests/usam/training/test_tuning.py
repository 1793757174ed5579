"""Tuning from ratings: a taste is learned and holds for other clips, chance is not, and a cut run goes on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests import tiny
from tests.usam.training.preferences.exports import OTHER, PERSON, clip, pair, thumb, write
from usam.checkpoints.layout import LORA
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.llm.lora import merge_lora
from usam.model.loading import load_adapter
from usam.model.model import USAM
from usam.quantization import choose_precision
from usam.training import tuning
from usam.training.execution import Execution, processes
from usam.training.lora import add_llm_lora
from usam.training.preferences.clips import Heard, RatedClips
from usam.training.preferences.examples import likeliest_answers
from usam.training.preferences.retention import Retention
from usam.training.preferences.rows import Asked, read_preferences
from usam.training.preferences.settings import Settings
from usam.training.stages import preference
from usam.training.stages.preference_checks import Check
from usam.training.trainer import Budget
from usam.training.tuning import Tuned, TuningOptions, choose_device, reason, tune

CLIPS = 24
SETTINGS = Settings(
    beta=0.5,
    replayed=2,
    kl_bound=5.0,
    check_steps=4,
    rates={"lora": 5e-3, "gates": 1e-3, "projector": 1e-3, "saclm": 1e-3},
)


def model(execution: Execution = Execution()) -> USAM:
    built = tiny.model(words=True)
    add_llm_lora(built, execution=execution)
    return built.eval()


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder of the tiny model."""
    folder = tmp_path_factory.mktemp("parent") / "tiny"
    model().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [clip(folder, number) for number in range(CLIPS)]


@pytest.fixture
def run(parent: Path, tmp_path: Path) -> Callable[..., Tuned]:
    def run(rows: list[dict], name: str = "tuned", steps: int = 16, **changes: object) -> Tuned:
        given = TuningOptions(
            export=write(tmp_path / f"{name}-export", rows),
            work=tmp_path / f"{changes.pop('work', name)}-work",
            output=tmp_path / name,
            checkpoint=parent,
            settings=SETTINGS,
            budget=Budget(steps=steps),
            replayed=8,
            asked_again=4,
        )
        options = replace(given, **changes)  # type: ignore[arg-type]
        preferences = read_preferences(options.export, options.weights, options.without)
        return tune(model(options.execution), preferences, options, lambda message: None)

    return run


def taste(clips: list[Path], decide: Callable[[int], bool] = lambda number: True) -> list[dict]:
    """Votes for the short answer where `decide` says so, else for the long one."""
    votes = []
    for number, file in enumerate(clips):
        answers = f"It is {number}.", f"It is {number}, or else it is {number + 1}."
        chosen, rejected = answers if decide(number) else answers[::-1]
        votes.append(pair(file, chosen, rejected))
    return votes


def test_a_taste_is_learned_and_the_checkpoint_answers(run: Callable[..., Tuned], clips: list[Path]) -> None:
    tuned = run(taste(clips))
    record = json.loads((tuned.folder / "tuning.json").read_text())
    assert record == json.loads(json.dumps(tuned.record))
    assert record["before"]["right"] == 0
    assert record["after"]["accuracy"] == 1.0
    assert record["rows"]["counts"] == {"comparison": CLIPS}
    assert tuned.refused == ""
    llm = merge_lora(tiny.llm(), tuned.folder / LORA)
    again = USAM(load_adapter(tuned.folder), llm, tiny.tokenizer(), model().encoders, tuned.folder)  # type: ignore[arg-type]
    engine = Engine(again.eval(), choose_precision("none", "cpu"), tuned.folder, 0.1)
    assert engine.ask(tiny.clip(), max_new_tokens=4).trace.tokens


def test_answers_to_held_out_questions_are_kept_from_before_and_after(
    run: Callable[..., Tuned], clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def weigh(model: USAM, asked: Sequence[tuple[Asked, Heard]], report: object) -> list[str]:
        heavy = sum(float(p.abs().sum()) for name, p in model.named_parameters() if "lora_" in name)
        return [f"{one.question} {heavy}" for one, _ in asked]

    monkeypatch.setattr(tuning, "likeliest_answers", weigh)
    votes = taste(clips)
    tuned = run([*votes, *votes], steps=4, examples=3)
    answers = json.loads((tuned.folder / "answers.json").read_text())["answers"]
    held = {row["clip"] for row in votes if Asked(Path(), row["clip"], "").held_out}
    assert len({one["clip"] for one in answers}) == len(answers) == 3
    assert {one["clip"] for one in answers} <= held
    assert all(one["before"] != one["after"] for one in answers)


def test_the_answers_are_the_models_own(tmp_path: Path) -> None:
    tiny_model = model()
    asked = [Asked(clip(tmp_path, number), str(number), "What?") for number in range(2)]
    heard = RatedClips(tmp_path / "heard", tiny_model, "tiny")
    lines: list[str] = []
    found = likeliest_answers(tiny_model, [(one, heard.heard(one)) for one in asked], lines.append)
    assert all(found)
    assert lines == ["answered: 2 of 2 held-out questions"]


def test_votes_at_random_are_refused_and_leave_the_weights(
    run: Callable[..., Tuned], clips: list[Path]
) -> None:
    coin = Random(1)
    tuned = run(taste(clips, lambda number: coin.random() < 0.5))
    assert tuned.refused
    assert tuned.record["after"] is None or tuned.record["after"]["interval"][0] <= 0.5


def test_a_run_that_was_cut_ends_as_one_that_was_not(
    run: Callable[..., Tuned], clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(taste(clips[:12]), "whole", steps=6)
    calls = 0

    def cut(*args: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return losses(*args, **options)

    losses = preference.preference_losses
    monkeypatch.setattr(preference, "preference_losses", cut)
    with pytest.raises(KeyboardInterrupt):
        run(taste(clips[:12]), "cut", steps=6)
    monkeypatch.undo()
    resumed = run(taste(clips[:12]), "again", steps=6, work="cut")
    assert resumed.record["after"] == whole.record["after"]
    assert same_weights(whole, resumed)


def same_weights(one: Tuned, other: Tuned) -> bool:
    files = [file.relative_to(one.folder) for file in one.folder.rglob("*.safetensors")]
    pairs = [(load_file(one.folder / file), load_file(other.folder / file)) for file in files]
    return all(torch.equal(theirs[name], tensor) for mine, theirs in pairs for name, tensor in mine.items())


def run_names(work: Path) -> list[str]:
    return [folder.name for folder in work.glob("*/runs/*")]


def test_checkpointed_activations_change_neither_the_weights_nor_the_name_of_a_run(
    run: Callable[..., Tuned], clips: list[Path], tmp_path: Path
) -> None:
    plain = run(taste(clips[:12]), "plain", steps=3)
    lighter = run(taste(clips[:12]), "lighter", steps=3, execution=Execution(gradient_checkpointing=True))
    assert same_weights(plain, lighter)
    assert run_names(tmp_path / "plain-work") == run_names(tmp_path / "lighter-work")
    assert plain.record["settings"] == lighter.record["settings"]


def test_a_step_of_several_batches_takes_those_of_as_many_steps(
    run: Callable[..., Tuned], clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noted(*given: Any) -> dict[str, torch.Tensor]:
        drawn[-1].append([item.chosen.heard.name for item in given[3]])
        return losses(*given)

    losses, drawn = preference.preference_losses, []
    monkeypatch.setattr(preference, "preference_losses", noted)
    for steps, execution in ((4, Execution()), (2, Execution(accumulation=2))):
        drawn.append([])
        tuned = run(taste(clips), f"{steps}", steps=steps, work="same", execution=execution)
    assert len(drawn[0]) == 4
    assert drawn[0] == drawn[1]
    assert tuned.record["settings"]["accumulation"] == 2
    assert len(set(run_names(tmp_path / "same-work"))) == 2


def test_what_the_model_says_is_kept_by_its_arithmetic_and_clips_are_not(
    run: Callable[..., Tuned], clips: list[Path], tmp_path: Path
) -> None:
    for name, execution in (("plain", Execution()), ("exact", Execution(bf16=False))):
        run(taste(clips[:12]), name, steps=1, work="same", execution=execution)
    [kept] = (tmp_path / "same-work").iterdir()
    assert {place.name for place in kept.iterdir()} == {"clips", "references", "own", "runs", "float32"}
    assert {place.name for place in (kept / "float32").iterdir()} == {"references", "own"}


def test_a_device_is_named_for_one_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device(None) == processes().device
    assert choose_device("cpu").type == "cpu"
    monkeypatch.setattr(tuning, "processes", lambda: SimpleNamespace(num_processes=2, device="cuda:1"))
    assert choose_device(None) == "cuda:1"
    with pytest.raises(RequestError, match="--device"):
        choose_device("cuda")


@pytest.mark.parametrize(("after", "refused"), [([False] * 10 + [True] * 10, True), ([True] * 20, False)])
def test_what_was_learned_is_refused_where_questions_with_one_answer_were_lost(
    after: list[bool], refused: bool
) -> None:
    best = Check(10, pairs=20, right=20, loss=0.1, likelier=20, kl=0.0)
    assert bool(reason(best, best, Retention([True] * 20, after))) is refused


def test_what_a_person_takes_back_is_not_learned(run: Callable[..., Tuned], clips: list[Path]) -> None:
    """`--without` leaves a person's rows out, and the record no longer names them."""
    rows = [{**row, "annotator": (PERSON, OTHER)[n % 2]} for n, row in enumerate(taste(clips[:12]))]
    tuned = run(rows, steps=3, without=[OTHER])
    assert tuned.record["annotators"] == [PERSON]
    assert tuned.record["rows"]["counts"] == {"comparison": 6}
    alone = run(rows[::2], "alone", steps=3)
    assert alone.record["rows"]["sha256"] == tuned.record["rows"]["sha256"]
    mine, theirs = (load_file(one.folder / LORA / "adapter_model.safetensors") for one in (tuned, alone))
    assert all(torch.equal(theirs[name], tensor) for name, tensor in mine.items())


def test_thumbs_alone_are_learned_from(run: Callable[..., Tuned], clips: list[Path]) -> None:
    rows = [thumb(file, f"It is {n}.", n % 2 == 0) for n, file in enumerate(clips[:8])]
    tuned = run(rows, steps=3)
    assert tuned.record["rows"]["counts"] == {"thumb": 8}
    assert "0 pairs are held out" in tuned.refused


def test_saclm_alone_learns_of_nothing_but_marks(run: Callable[..., Tuned], clips: list[Path]) -> None:
    rows = [pair(file, "A dog.", "A cat or a dog.") for file in clips[:8]]
    with pytest.raises(RequestError, match="marked"):
        run(rows, steps=1, parts=("saclm",))
