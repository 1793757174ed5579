"""The command that tunes, beside the app: counted, started, stopped, and what it leaves."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.serving import settings_in
from tests.ui.tuning import COUNTED, let_it_wait, teaching_in, wait_until_under_way
from ui.studio.tuning.teaching import Teaching
from ui.studio.tuning.tuning_progress import ProgressReader
from usam.errors import RequestError


@pytest.fixture
def teaching(tmp_path: Path) -> Teaching:
    return teaching_in(settings_in(tmp_path))


def run(teaching: Teaching) -> None:
    teaching.start()
    teaching.join()


def test_what_there_is_to_learn_from_is_counted_by_the_command(teaching: Teaching, tmp_path: Path) -> None:
    assert vars(teaching.count()) == COUNTED
    (tmp_path / "fails").touch()
    with pytest.raises(RequestError, match=r"^There is nothing to learn from\.$"):
        teaching.count()


def test_each_run_goes_on_from_the_checkpoint_that_answers(teaching: Teaching) -> None:
    run(teaching)
    assert teaching.state.result == "tuned-1"
    assert not teaching.work.exists(), "nothing of people's clips stays"
    teaching.tuned.add_promoted("tuned-1")
    run(teaching)
    second, first = teaching.tuned.all()
    assert (first.name, first.record["checkpoint"]) == ("tuned-1", "None")
    assert (second.name, second.record["checkpoint"]) == ("tuned-2", str(first.folder))


def test_labelled_clips_are_evaluated_on_where_there_are_some(tmp_path: Path) -> None:
    teaching = teaching_in(replace(settings_in(tmp_path), evaluation=tmp_path / "clips"))
    run(teaching)
    assert teaching.tuned.all()[0].record["gate"] == str(tmp_path / "clips")


def test_a_refused_checkpoint_is_there_and_says_why(teaching: Teaching, tmp_path: Path) -> None:
    (tmp_path / "refuses").touch()
    run(teaching)
    made = teaching.tuned.get(teaching.state.result)
    assert made is not None
    assert made.refused == "Nothing was learned."


def process_state(pid: int) -> str:
    """R or S of one that runs or sleeps, T of one that is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="tells states of processes by /proc")
def test_a_run_waits_while_somebody_is_answered(teaching: Teaching, tmp_path: Path) -> None:
    let_it_wait(tmp_path)
    teaching.start()
    wait_until_under_way(tmp_path)
    process = teaching._process
    assert process is not None
    with teaching.paused():
        with teaching.paused():
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        assert process_state(process.pid) == "T", "another answer is still being written"
    os.waitid(os.P_PID, process.pid, os.WCONTINUED)
    assert process_state(process.pid) != "T"
    with teaching.paused():
        teaching.stop()
        teaching.join()
    assert "Stopped" in teaching.state.ended


def test_a_run_that_fails_says_why_in_the_commands_words(teaching: Teaching, tmp_path: Path) -> None:
    (tmp_path / "fails").touch()
    run(teaching)
    assert (teaching.state.running, teaching.state.result) == (False, "")
    assert teaching.state.ended == "There is nothing to learn from."


def test_a_stopped_run_keeps_what_it_computed_but_no_copies_of_clips(
    teaching: Teaching, tmp_path: Path
) -> None:
    let_it_wait(tmp_path)
    teaching.start()
    wait_until_under_way(tmp_path)
    with pytest.raises(RequestError, match="already"):
        teaching.start()
    teaching.stop()
    teaching.join()
    assert not teaching.state.running
    assert "Stopped" in teaching.state.ended
    assert (teaching.work / "reached").exists()
    assert not (teaching.work / "export").exists()
    (tmp_path / "waits").unlink()
    run(teaching)
    assert teaching.state.result == "tuned-1"


def test_copies_of_clips_that_a_killed_app_left_are_deleted_at_the_next_start(teaching: Teaching) -> None:
    (teaching.work / "export").mkdir(parents=True)
    teaching.clean()
    assert not (teaching.work / "export").exists()


def test_the_time_left_is_that_of_the_part_under_way() -> None:
    reader = ProgressReader()
    assert reader.read("learn      12  comparison", 0.0).message == "Starting"
    assert reader.read("reference: 10 of 40 answers", 10.0).left is None
    assert reader.read("reference: 20 of 40 answers", 15.0).left == pytest.approx(10.0)
    assert reader.read("asked again: 16 of 64", 20.0).left is None, "another part"
    tuning = reader.read("step 10  seconds 30  left 270  progress 0.1  loss 0.6", 50.0)
    assert (tuning.share, tuning.left) == (0.1, 270.0)
    checked = reader.read("step 10: held-out pairs right 4 of 10, loss 0.69, 0.0 nats from before", 51.0)
    assert checked.check == "held-out pairs right 4 of 10"
    assert (checked.message, checked.share) == (tuning.message, 0.1)


def test_of_two_processes_one_teaches_at_a_time(teaching: Teaching, tmp_path: Path) -> None:
    other = teaching_in(settings_in(tmp_path))
    let_it_wait(tmp_path)
    teaching.start()
    wait_until_under_way(tmp_path)
    with pytest.raises(RequestError, match="another process"):
        other.start()
    teaching.stop()
    teaching.join()
    (tmp_path / "waits").unlink()
    run(other)
    assert other.state.result
