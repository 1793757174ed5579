"""`usam tune`: what its options choose, and what its exit status says."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from tests import tiny
from tests.usam.training.preferences.exports import PERSON, clip, pair, thumb, write
from usam.cli.main import main
from usam.model.model import USAM
from usam.training import tuning
from usam.training.lora import add_llm_lora


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    rows = [pair(clip(tmp_path, number), "A dog.", "A cat or a dog.") for number in range(3)]
    rows.append(thumb(clip(tmp_path, 4), "A dog.", True))
    return write(tmp_path / "export", rows)


@pytest.fixture(autouse=True)
def _tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(options: tuning.TuningOptions, report: object) -> USAM:
        model = tiny.model()
        add_llm_lora(model)
        return model

    (tmp_path / "parent").mkdir()
    (tmp_path / "parent" / "config.json").write_text("{}")
    monkeypatch.setattr(tuning, "load_tunable", load)


def tune(tmp_path: Path, *options: str) -> int:
    parent, output = str(tmp_path / "parent"), str(tmp_path / "tuned")
    return main(
        ["tune", "--checkpoint", parent, "--output", output, "--priority", "normal", "--steps", "1", *options]
    )


def test_a_checkpoint_that_few_votes_bear_out_is_written_and_refused(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--without", "thumb", "--weight", "comparison=0.5", "--train", "lora", "--json"]
    assert tune(tmp_path, "--export", str(exported), *options) == 3
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert record["rows"]["counts"] == {"comparison": 3}
    assert record["settings"]["parts"] == ["lora"]
    assert "too few" in record["refused"]
    assert err.index("3  comparison") < err.index("step 1:"), "counted before anything starts"
    assert json.loads((tmp_path / "tuned" / "tuning.json").read_text()) == record
    assert tune(tmp_path, "--export", str(exported)) == 2
    assert "not empty" in capsys.readouterr().err


def test_how_it_computes_is_chosen_as_for_training(exported: Path, tmp_path: Path) -> None:
    options = ["--accumulate", "2", "--float32", "--gradient-checkpointing", "--qlora"]
    assert tune(tmp_path, "--export", str(exported), *options) == 3
    settings = json.loads((tmp_path / "tuned" / "tuning.json").read_text())["settings"]
    assert {name: settings.get(name) for name in ("accumulation", "bf16", "qlora")} == {
        "accumulation": 2, "bf16": False, "qlora": True,
    }  # fmt: skip
    assert "gradient_checkpointing" not in settings


def test_counting_is_no_idle_work_loads_no_model_and_writes_nothing(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "load_tunable", lambda *_: pytest.fail("no model is needed"))
    before, nice = sorted(tmp_path.rglob("*")), os.nice(0)
    assert main(["tune", "--export", str(exported), "--count", "--json", "--without", "thumb"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "counts": {"comparison": 3},
        "dropped": {"left out by kind": 1},
        "annotators": {PERSON: 3},
    }
    assert sorted(tmp_path.rglob("*")) == before
    assert os.nice(0) == nice


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--only", "gossip"], "no kind of judgement called 'gossip'"),
        (["--train", "everything"], "no part called 'everything'"),
        (["--weight", "thumb"], "KIND=W"),
        (["--minutes", "0"], "--minutes must be more than 0"),
        (["--accumulate", "0"], "--accumulate takes 1 or more"),
        (["--kl-bound", "nan"], "--kl-bound must be more than 0"),
        (["--weight", "=1"], "no kind of judgement called ''"),
        (["--without", PERSON], "nothing to learn from"),
        (["--only", "spans"], "nothing to learn from"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert tune(tmp_path, "--export", str(exported), *options) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "tuned").exists()


def test_without_the_app_an_export_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert tune(tmp_path, "--data", str(tmp_path)) == 2
    assert "--export" in capsys.readouterr().err


def test_a_full_disk_is_told_and_the_same_command_goes_on(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tuning, "write_record", full)
        assert tune(tmp_path, "--export", str(exported)) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not (tmp_path / "tuned").exists(), "never a part of a checkpoint"
    assert tune(tmp_path, "--export", str(exported)) == 3
    assert (tmp_path / "tuned" / "tuning.json").is_file()
