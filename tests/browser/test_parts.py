"""The parts of the app that need no browser."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.browser.fake_engine import MODEL, trace_of
from tests.ui.heard import heard_clip
from ui.components import messages
from ui.engines.loader import EngineLoader, LoadState
from ui.examples import EXAMPLES
from ui.inspector.summary import describe
from ui.pages.ask import render
from ui.pages.ask.clip import ChosenClip
from ui.report.export import numbers_of
from ui.settings import Settings, sqlite_url
from ui.studio.running import RunningRequests
from ui.studio.service import Studio, heard_file, retry_of
from ui.studio.session import KEPT_ENTRIES, Session, SessionAnswer
from usam.audio.clip import Clip, load_clip
from usam.audio.samples import SAMPLE_RATE
from usam.errors import UsamError, WeightsError
from usam.schema.answer import Answer, Timings, Turn
from usam.schema.trace import ClipSpan

ROOT = Path(__file__).parents[2]


def clip(seconds: float = 2.0, seed: int = 0) -> Clip:
    waveform = torch.rand(int(seconds * SAMPLE_RATE), generator=torch.Generator().manual_seed(seed)) - 0.5
    return Clip(waveform, 0.0, seconds, seconds, f"{seed:064x}")


def entry(
    key: str, heard: Clip, *, history: tuple[Turn, ...] = (), temperature: float = 0.0
) -> SessionAnswer:
    answer = Answer(
        text=f"answer {key}",
        task="qa",
        question=f"question {key}",
        heard=ClipSpan(heard.start, heard.end, heard.duration, heard.sha256),
        trace=trace_of(heard, "question+answer"),
        timings=Timings(1.0, 0.1, 0.2, 0.3, 30.0, 2),
        model=MODEL,
        prompt="prompt",
        seed=3,
        temperature=temperature,
        history=history,
    )
    return SessionAnswer(key, answer, heard_clip(heard), "clip.wav", answer_id=f"id-{key}")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("USAM_DATA", str(tmp_path))
    monkeypatch.setattr("ui.settings.in_container", lambda environ: False)  # where the tests may well run
    settings = Settings.from_environment({"USAM_QUANTIZATION": "none", "USAM_MAX_SECONDS": "12"})
    assert settings == Settings(tmp_path, sqlite_url(tmp_path), quantization="none", max_seconds=12.0)


@pytest.mark.parametrize("wrong", ["0", "31", "abc", "nan", "-5"])
def test_an_impossible_length_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="USAM_MAX_SECONDS"):
        Settings.from_environment({"USAM_MAX_SECONDS": wrong})


@pytest.mark.parametrize(
    ("text", "names"), [("fluency, tone,fluency", ("fluency", "tone")), ("", ()), ("accuracy", ("accuracy",))]
)
def test_the_dimensions_are_the_teams_own(text: str, names: tuple[str, ...]) -> None:
    assert Settings.from_environment({"USAM_DIMENSIONS": text}).dimensions == names
    with pytest.raises(ValueError, match="USAM_DIMENSIONS"):
        Settings.from_environment({"USAM_DIMENSIONS": f"{text},No Good"})


@pytest.mark.parametrize("wrong", ["0", "-1", "soon", "nan", "inf"])
@pytest.mark.parametrize("name", ["USAM_RETENTION_DAYS", "USAM_BACKUP_HOURS"])
def test_an_impossible_period_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({name: wrong})


def test_the_browser_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "data", "sqlite://")
    secret = settings.browser_secret()
    assert settings.browser_secret() == secret
    assert len(secret) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "browser-secret").stat().st_mode) == 0o600


def test_a_database_elsewhere_is_private_too(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "mine.db"
    paths = Settings(tmp_path / "data", f"sqlite:///{file}").private_paths()
    assert {str(tmp_path / "data"), str(file), f"{file}-wal"} <= set(paths)
    assert str(file.parent) not in paths


def test_the_loader_reports_progress_then_readiness() -> None:
    go_on, engine = threading.Event(), SimpleNamespace()

    def load(progress):  # type: ignore[no-untyped-def]
        progress("Converting", 0.5)
        go_on.wait(10)
        return engine

    loader = EngineLoader(load)
    states: Iterator[LoadState] = loader.wait(threading.Event())
    while next(states).step != "Converting":
        pass
    with pytest.raises(UsamError, match="still loading"):
        _ = loader.engine
    go_on.set()
    for _ in states:
        pass
    assert loader.state.ready
    assert loader.engine is engine


def test_stop_ends_the_wait_for_the_engine() -> None:
    stop = threading.Event()
    loader = EngineLoader(lambda progress: threading.Event().wait(30))  # type: ignore[arg-type, return-value]
    stop.set()
    assert list(loader.wait(stop)) == []


def test_a_load_that_failed_is_tried_again() -> None:
    tries: list[int] = []

    def load(progress):  # type: ignore[no-untyped-def]
        tries.append(1)
        if len(tries) == 1:
            raise WeightsError("No network.")
        return SimpleNamespace()

    loader = EngineLoader(load)
    with pytest.raises(UsamError, match=r"No network\."):
        list(loader.wait(threading.Event()))
    list(loader.wait(threading.Event()))
    assert loader.state.ready
    assert len(tries) == 2


def test_a_page_has_one_answer_at_a_time() -> None:
    running = RunningRequests()
    assert running.begin("page")
    assert not running.begin("page")
    assert running.begin("another page")
    event = running.stop_event("page")
    running.end("page")
    assert event.is_set()
    assert running.begin("page")


def test_a_question_stopped_in_the_line_starts_stopped() -> None:
    running = RunningRequests()
    running.begin("page")
    running.stop("page")
    assert running.stop_event("page").is_set()
    assert not running.stop_event("another page").is_set()


def test_a_follow_up_carries_every_turn_and_an_edit_only_those_before() -> None:
    first = (Turn("q0", "a0"),)
    session = Session().add(entry("b", clip(), history=first))
    assert session.follow_up().context == (Turn("q0", "a0"), Turn("question b", "answer b"))
    assert session.edit().context == first
    assert session.edit().context_entry is session.current
    assert session.follow_up().fresh().context == ()


def test_a_session_forgets_its_oldest_answers() -> None:
    session = Session()
    for i in range(KEPT_ENTRIES + 3):
        session = session.add(entry(str(i), clip(seed=1)))
    assert [e.key for e in session.entries] == [str(i) for i in range(3, KEPT_ENTRIES + 3)]
    assert session.shown == str(KEPT_ENTRIES + 2)


def test_a_retry_samples_with_the_seed_it_is_given() -> None:
    greedy, sampled = entry("a", clip()), entry("b", clip(), temperature=0.3)
    assert (retry_of(greedy, 4, False).seed, retry_of(greedy, 4, False).temperature) == (4, 0.7)
    assert retry_of(sampled, 4, False).temperature == 0.3
    assert retry_of(greedy, 4, False).parent == "id-a"


def test_the_kept_file_holds_exactly_what_was_heard() -> None:
    heard = load_clip(EXAMPLES["Sound"][0].path, 1.0, 4.0)
    with heard_file(heard) as path:
        assert load_clip(path).sha256 == heard.sha256


@pytest.mark.parametrize(
    ("start", "length", "duration", "expected"),
    [
        (5.0, 10.0, 20.0, (None, None)),
        (5.0, 10.0, 60.0, (5.0, 15.0)),
        (55.0, 30.0, 60.0, (55.0, 60.0)),
        (99.0, 30.0, 60.0, (59.8, 60.0)),
    ],
)
def test_the_sliders_count_only_for_long_clips(
    start: float, length: float, duration: float, expected: tuple[float | None, float | None]
) -> None:
    assert ChosenClip("clip", duration).span(start, length, 30.0) == expected


def test_the_table_has_every_number_of_every_token() -> None:
    trace = trace_of(clip(2.0), "question")
    table = numbers_of(trace)
    assert len(table) == len(trace.tokens)
    assert table[list(trace.experts)].sum(axis=1).tolist() == pytest.approx([1.0] * len(table), abs=2e-3)
    assert (table["redundant"] == "yes").tolist() == [token.redundant for token in trace.tokens]
    assert table["to s"].iloc[-1] == 2.0


def test_text_from_people_and_model_is_escaped() -> None:
    page = render.thread([Turn("<i>q</i>", "<i>a</i>")], "<script>", "<b>bold</b>")
    assert "<i>" not in page
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<img" not in messages.fault("<img src=x>")
    assert "<u>" not in render.banner(LoadState("<u>step</u>", 0.1))


def test_the_picture_in_words_says_load_and_redundancy() -> None:
    words = describe(entry("a", clip(2.0)).answer)
    assert words.startswith("Mel spectrogram of 0.0–2.0 s of 2.0 s with 13 audio tokens.")
    assert "expert 1" in words
    assert "tokens are redundant" in words


@pytest.mark.parametrize("example", [example for group in EXAMPLES.values() for example in group], ids=str)
def test_every_example_is_small_attributed_audio(example) -> None:  # type: ignore[no-untyped-def]
    file = Path(example.path)
    assert file.stat().st_size < 150_000
    assert 1.0 < load_clip(file).duration < 15.0
    assert f"| {file.name} |" in file.with_name("ATTRIBUTION.md").read_text()


def test_no_example_is_among_the_clips_trained_on() -> None:
    """Names in the held-out list are those of the data folder, so each is matched by how it ends."""
    heldout = (ROOT / "usam/checkpoints/mini/heldout.txt").read_text().split()
    endings = {
        "speech-new-jail.ogg": "LJ003_0041.ogg",
        "speech-chapter-one.ogg": "103_1240_0000_t0.ogg",
        "sound-dog.ogg": "berklee_dog2.ogg",
        "sound-rain.ogg": "weather_heavyrain.ogg",
        "sound-siren.ogg": "police_siren.ogg",
        "music-piano.ogg": "samples_piano.ogg",
        "music-jazz-guitar.ogg": "samples_jazz_guitar.ogg",
        "music-fanfare.ogg": "fanfare2.ogg",
    }
    assert set(endings) == {example.file for group in EXAMPLES.values() for example in group}
    for ending in endings.values():
        assert [name for name in heldout if name.endswith(ending)], ending


def test_each_kind_has_two_examples() -> None:
    assert set(EXAMPLES) == {"Speech", "Sound", "Music"}
    assert all(len(group) >= 2 for group in EXAMPLES.values())


def test_a_clip_that_is_gone_is_asked_for_again(tmp_path: Path) -> None:
    nothing: Any = None
    studio = Studio(nothing, nothing, Settings(tmp_path, sqlite_url(tmp_path)))
    with pytest.raises(UsamError, match="upload it again"):
        studio.clips.load(str(tmp_path / "swept.ogg"))
