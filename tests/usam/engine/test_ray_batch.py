"""Batches on a Ray of this machine, with small engines: each row once, whatever happens to an actor."""

import json
import wave
from functools import partial
from pathlib import Path

import pytest

from tests import tiny
from tests.ray_engine import DyingEngine, refuse
from usam.engine.batch import rows_of, run_batch, write_parquet
from usam.errors import RequestError

pytest.importorskip("ray")
from usam.engine.ray_batch import run_on_ray

pytestmark = pytest.mark.slow
ROWS = 13


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some sounds, and one that is none."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(ROWS - 2):
        sound(folder / f"{number}.wav")
    sound(folder / "low.wav")
    (folder / "broken.wav").write_bytes(b"no sound")
    return folder


def sound(file: Path) -> None:
    with wave.open(str(file), "wb") as made:
        made.setparams((1, 2, 16_000, 8_000, "NONE", ""))
        made.writeframes(b"".join((9_000 * (i // 4 % 2)).to_bytes(2, "little") for i in range(8_000)))


def quiet(message: str, share: float) -> None:
    """Progress that nobody watches."""


def lines(output: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.read_text("utf-8").splitlines()]


def test_of_three_actors_one_is_killed_and_each_row_is_answered_once(clips: Path, tmp_path: Path) -> None:
    marker, output = tmp_path / "marker", tmp_path / "out.jsonl"
    marker.touch()
    rows = rows_of(clips)
    outcome = run_on_ray(clips, output, rows, partial(DyingEngine, marker), quiet, actors=3, max_new_tokens=3)
    assert not marker.exists(), "an actor was killed"
    assert (outcome.answered, outcome.refused) == (ROWS - 1, 1)
    assert sorted(line["row"] for line in lines(output)) == list(range(1, ROWS + 1))  # type: ignore[type-var]
    (refused,) = (line for line in lines(output) if "error" in line)
    assert refused["path"] == "broken.wav"


def test_what_ray_wrote_is_continued_and_what_the_plain_command_wrote_by_ray(
    clips: Path, tmp_path: Path
) -> None:
    output, rows, load = tmp_path / "out.jsonl", rows_of(clips), partial(tiny.engine, tmp_path)
    run_batch(clips, output, rows[:3], load, quiet, max_new_tokens=3)
    before = output.read_text("utf-8")
    run_on_ray(clips, output, rows, load, quiet, max_new_tokens=3)
    assert output.read_text("utf-8").startswith(before)
    assert len(lines(output)) == ROWS

    def fail() -> None:
        raise AssertionError("nothing is left to ask")

    run_batch(clips, output, rows, fail, quiet)  # type: ignore[arg-type]
    write_parquet(output, tmp_path / "out.parquet", rows)
    from pyarrow import parquet

    table = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [line["row"] for line in table] == list(range(1, ROWS + 1))
    assert {line["path"] for line in table if line["error"]} == {"broken.wav"}


def test_an_engine_that_cannot_be_loaded_ends_the_run_with_its_reason(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="damaged"):
        run_on_ray(clips, tmp_path / "out.jsonl", rows_of(clips), refuse, quiet)


def test_a_cluster_that_is_not_there_is_named(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"127\.0\.0\.1:1"):
        run_on_ray(
            clips,
            tmp_path / "out.jsonl",
            rows_of(clips),
            partial(tiny.engine, tmp_path),
            quiet,
            address="127.0.0.1:1",
        )
