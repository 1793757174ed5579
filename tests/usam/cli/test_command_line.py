"""The commands that change what is heard: their output, and bad usage told in one line with status 2."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from usam.cli.main import main
from usam.engine.engine import Engine

CONDITIONS = {"all", "drop_redundant", "drop_random", "keep_redundant"}


@pytest.fixture
def clip(tmp_path: Path) -> str:
    file = tmp_path / "noise.wav"
    soundfile.write(file, np.random.default_rng(0).normal(0, 0.2, 32_000).clip(-1, 1), 16_000)
    return str(file)


@pytest.fixture
def loaded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(Engine, "load", lambda *args, **options: engine)
    return engine


@pytest.fixture
def unloadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*args: Any, **options: Any) -> None:
        raise AssertionError("the model was loaded for a request that cannot be met")

    monkeypatch.setattr(Engine, "load", load)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The JSON object that a command prints, which is all it prints."""
    assert main([*arguments, "--max-new-tokens", "6", "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


@pytest.mark.parametrize(
    ("words", "intervention"),
    [
        ("--force-expert 1", {"kind": "force-expert", "expert": 1}),
        ("--uniform", {"kind": "uniform"}),
        ("--read-all", {"kind": "read-all"}),
        ("--drop redundant", {"kind": "drop-redundant"}),
        ("--drop random --seed 4", {"kind": "drop-random", "seed": 4}),
        ("--keep redundant", {"kind": "keep-redundant"}),
        ("--drop-span 0.5 1.5", {"kind": "drop-span", "start": 0.5, "end": 1.5}),
    ],
)
def test_intervene_prints_asks_object_with_the_baseline(
    loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str], words: str, intervention: dict[str, Any]
) -> None:
    asked = printed(capsys, "ask", clip, "What?")
    record = printed(capsys, "intervene", clip, "What?", *words.split())
    assert set(record) - set(asked) == {"baseline", "logprob_change", "seconds_saved"}
    assert record["intervention"] == intervention
    assert isinstance(record["logprob_change"], float)
    untimed = {key: value for key, value in record["baseline"].items() if key != "timings"}
    assert untimed == {key: asked[key] for key in untimed} | {"seed": record["seed"]}


def test_dropping_a_span_counts_from_the_start_of_the_whole_clip(
    loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = printed(capsys, "intervene", clip, "--start", "1", "--drop-span", "1", "1.16")["tokens"]
    assert [token["start"] for token in tokens if token["dropped"]] == [1.0, 1.08]


def test_ask_drops_redundant_tokens_when_asked_to(
    loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = printed(capsys, "ask", clip, "--drop-redundant")
    assert record["intervention"] == {"kind": "drop-redundant"}
    assert 0 < sum(token["dropped"] for token in record["tokens"]) < len(record["tokens"])
    whole = printed(capsys, "ask", clip)
    assert not any(token["dropped"] for token in whole["tokens"])


def test_ask_reads_every_token_when_asked_to(
    loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = printed(capsys, "ask", clip, "--read-all")
    assert record["intervention"] == {"kind": "read-all"}
    assert not any(token["dropped"] for token in record["tokens"])
    with pytest.raises(SystemExit):
        main(["ask", clip, "--read-all", "--drop-redundant"])


def test_ask_says_when_nothing_was_left_to_hear(
    loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded.model.adapter.saclm.threshold = 1.0
    assert main(["ask", clip, "--drop-redundant", "--max-new-tokens", "4"]) == 0
    assert "without audio" in capsys.readouterr().err


def test_deletion_test_prints_every_condition(
    loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = printed(capsys, "deletion-test", clip, "What?", "--seeds", "3")
    assert set(record) >= CONDITIONS
    assert len(record["drop_random"]) == 3
    assert 0 < record["tokens_dropped"] < record["tokens"]
    given = printed(capsys, "deletion-test", clip, "What?", "--reference", "A dog.")
    assert given["reference"] == "A dog."
    assert given["all"] != record["all"]


def test_attribute_prints_a_score_a_token_for_every_word(
    loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = printed(capsys, "attribute", clip, "What?", "--max-new-tokens", "6", "--group", "5")
    assert record["method"] == "occlusion"
    assert record["words"]
    assert {len(word["scores"]) for word in record["words"]} == {len(record["tokens"])}
    assert main(["attribute", clip, "--max-new-tokens", "6"]) == 0
    assert "by occlusion" in capsys.readouterr().out.splitlines()[-1]
    assert main(["attribute", clip, "--group", "0"]) == 2


def test_without_json_a_table_and_a_sentence(
    loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deletion-test", clip, "--reference", "A dog.", "--seeds", "2"]) == 0
    *_, verdict = lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("drop random") for line in lines) == 2
    assert verdict.startswith("Redundancy ")
    assert main(["intervene", clip, "--drop-span", "0", "2", "--max-new-tokens", "4"]) == 0
    assert "without audio" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--uniform --force-expert 1",
        "--uniform --read-all",
        "--drop everything",
        "--keep random",
        "--drop-span 1",
        "--force-expert x",
    ],
)
def test_bad_usage_ends_with_status_2(words: str, clip: str, unloadable: None) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["intervene", clip, *words.split()])
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("intervene --drop-span 2 1", "later end"),
        ("intervene --uniform --task sing", "invalid choice"),
        ("deletion-test --seeds 0", "1 to 100 seeds"),
        ("deletion-test --reference=", "reference answer is empty"),
        ("deletion-test --start 60", "ends before 60 s"),
    ],
)
def test_bad_requests_are_reported_before_the_model_is_loaded(
    words: str, sentence: str, clip: str, unloadable: None, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = words.split()
    try:
        status = main([command, clip, *rest])
    except SystemExit as stopped:
        status = stopped.code  # type: ignore[assignment]
    assert status == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("--force-expert 3", "There is no expert 3"), ("--drop-span 5 6", "outside of what was heard")],
)
def test_what_does_not_fit_the_model_or_clip_ends_with_status_2(
    words: str, sentence: str, loaded: Engine, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["intervene", clip, "--max-new-tokens", "4", *words.split()]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""
