"""Training in a few steps, from clips to a checkpoint that answers; a second call goes on from there."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from usam.checkpoints.layout import bundled
from usam.cli.main import main
from usam.engine.engine import Engine
from usam.training import dataset
from usam.training import pipeline as run

ROOT = Path(__file__).parents[2]
CLIPS = {
    "speech/own/jail.ogg": ("tests/clips/speech_jail.ogg", "there was no lack of air and light"),
    "speech/own/chapter.ogg": ("tests/clips/speech_chapter.ogg", "chapter one"),
    "speech/own/light.ogg": ("tests/clips/speech_jail.ogg", "[gender] male"),  # Whisper is asked
    "sound/own/siren.ogg": ("tests/clips/siren.ogg", "siren"),
    "sound/own/dog.ogg": ("ui/examples/sound-dog.ogg", "dog barking"),
    "music/own/piano.ogg": ("tests/clips/piano.ogg", "piano"),
    "music/own/guitar.ogg": ("tests/clips/guitar.ogg", "guitar"),
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    columns = "path seconds kind label_or_transcript language speaker_or_group licence".split()
    rows = []
    for path, (clip, text) in CLIPS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / clip, folder / path)
        rows.append([path, "5.0", path.split("/")[0], text, "en", path, "CC0"])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return folder


def test_a_few_steps_make_a_checkpoint_that_answers_and_a_second_call_goes_on(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "IMAGINED", 1)
    monkeypatch.setattr(dataset, "SILENCES", 6)
    monkeypatch.setattr(dataset, "HELD_SILENCES", 2)
    output, work = tmp_path / "adapter", tmp_path / "work"
    command = ["train", "--data", str(corpus), "--work", str(work), "--output", str(output)]
    for stage in ("direct", "tokens", "align", "instruct"):
        command += [f"--{stage}-steps", "2"]
    assert main(command) == 0
    engine = Engine.load(checkpoint=output, quantization="none")
    answer = engine.ask(ROOT / "tests/clips/siren.ogg", "What is this?", max_new_tokens=4)
    assert answer.timings.answer_tokens > 0
    assert "light" in (work / "transcripts.json").read_text()
    assert (output / "speech_lora" / "adapter_model.safetensors").is_file()
    assert sum(file.stat().st_size for file in output.rglob("*.safetensors")) < 32 * 2**20

    assert main([*command, "--instruct-steps", "4"]) == 0
    taken = {"direct": 2, "tokens": 2, "align": 2, "instruct": 4}
    for stage, steps in taken.items():
        assert torch.load(work / stage / "state.pt", weights_only=True)["step"] == steps


def test_heads_are_fitted_anew_and_the_rest_of_the_checkpoint_stays(corpus: Path, tmp_path: Path) -> None:
    manifest = corpus / "manifest.csv"
    again = []
    for row in csv.reader(manifest.read_text().splitlines()):
        if row[2] == "music":  # a name takes two clips, and two collections to be compared
            copy = row[0].replace("/own/", "/other/")
            (corpus / copy).parent.mkdir(exist_ok=True)
            shutil.copyfile(corpus / row[0], corpus / copy)
            again.append([copy, *row[1:5], copy, row[6]])
    with manifest.open("a", newline="") as file:
        csv.writer(file).writerows(again)
    output = tmp_path / "fitted"
    command = ["fit-heads", "--data", str(corpus), "--start", str(bundled("mini")), "--mixtures", "2"]
    assert main([*command, "--work", str(tmp_path / "work"), "--output", str(output)]) == 0
    assert json.loads((output / "config.json").read_text())["names"] == {"music": ["guitar", "piano"]}
    before, after = (load_file(folder / "model.safetensors") for folder in (bundled("mini"), output))
    changed = {name for name in after if name not in before or not torch.equal(before[name], after[name])}
    assert {name.split(".")[0] for name in changed} == {"kinds", "names"}
    assert not (output / "evaluation.json").exists()
    engine = Engine.load(checkpoint=output)
    answer = engine.ask(ROOT / "tests/clips/piano.ogg", "Which instrument is playing?", max_new_tokens=16)
    assert "piano" in answer.text
