"""Clips in memory: decoded once, encoded for the page once, and no more of them than the budget allows."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import select

from storage import Feedback, open_database
from storage.database.schema import Clip as Clips
from tests.fake_engine import FakeEngine
from tests.serving import EXAMPLES, settings_in
from ui.engines.loader import EngineLoader
from ui.inspector import sound
from ui.inspector.payload import payload, viewer_json
from ui.studio.clips import ClipCache
from ui.studio.service import AskRequest, Studio, retry_of
from ui.studio.session import Session, SessionAnswer
from ui.studio.stored_answers import audio_of
from usam.audio import clip as decoding
from usam.audio.clip import Clip, load_clip
from usam.audio.fingerprint import fingerprint
from usam.errors import RequestError, UsamError

DOG, RAIN = (EXAMPLES / name for name in ("sound-dog.ogg", "sound-rain.ogg"))


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    settings = settings_in(tmp_path)
    loader = EngineLoader(lambda progress: FakeEngine(pause=0))  # type: ignore[arg-type, return-value]
    return Studio(loader, Feedback(open_database(settings.database_url)), settings)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was decoded."""
    counts: Counter[str] = Counter()
    monkeypatch.setattr(decoding, "load_clip", counting(counts, load_clip))
    return counts


def counting(counts: Counter[str], load: Callable[..., Clip]) -> Callable[..., Clip]:
    def counted(file: str, *args: float | None, **options: float) -> Clip:
        counts[Path(file).name] += 1
        return load(file, *args, **options)

    return counted


def ask(studio: Studio, request: AskRequest) -> SessionAnswer:
    *_, entry = studio.ask(request, "me", threading.Event())
    assert isinstance(entry, SessionAnswer)
    return entry


def test_a_clip_is_decoded_once_for_all_that_is_asked_about_it(studio: Studio, decoded: Counter[str]) -> None:
    length = studio.clips.load(str(DOG)).heard.end  # as when it is uploaded
    first = ask(studio, AskRequest("What?", "qa", str(DOG)))
    ask(studio, AskRequest("And now?", "qa", str(DOG), start=0.0, end=length))
    ask(studio, retry_of(first, 5, keep_audio=True))
    assert decoded == {DOG.name: 1}
    assert ask(studio, AskRequest("A part?", "qa", str(DOG), start=1.0, end=2.0)).answer.heard.start == 1.0
    assert decoded == {DOG.name: 2}


def test_how_a_clip_sounds_is_stored_with_its_first_answer(studio: Studio) -> None:
    entry = ask(studio, AskRequest("What?", "qa", str(DOG)))
    assert entry.clip is not None
    with studio.feedback.database.read() as session:
        assert session.scalar(select(Clips.fingerprint)) == fingerprint(entry.clip.waveform.numpy()) != ""


def test_two_who_need_a_clip_at_once_wait_for_one_decoding() -> None:
    """The page describes a clip while the question about it, from an example, is already asked."""
    began, go_on, decodings = threading.Event(), threading.Event(), []

    def decode(file: str, start: float | None, end: float | None) -> Clip:
        decodings.append(file)
        began.set()
        assert go_on.wait(30)
        return load_clip(file, start, end)

    clips, found = ClipCache(decode), []
    threads = [threading.Thread(target=lambda: found.append(clips.load(str(DOG)).heard)) for _ in range(2)]
    threads[0].start()
    assert began.wait(30)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert found == [clips.load(str(DOG)).heard] * 2
    assert len(decodings) == 1


def test_a_decoding_that_failed_is_tried_again() -> None:
    failures = [UsamError("damaged")]

    def decode(file: str, start: float | None, end: float | None) -> Clip:
        if failures:
            raise failures.pop()
        return load_clip(file, start, end)

    clips = ClipCache(decode)
    with pytest.raises(UsamError, match="damaged"):
        clips.load(str(DOG))
    assert clips.load(str(DOG)).get() is not None


def test_the_page_gets_a_clip_that_was_encoded_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    opus = sound.opus
    monkeypatch.setattr(sound, "opus", lambda waveform: encoded.append(len(waveform)) or opus(waveform))
    first = ask(studio, AskRequest("What?", "qa", str(DOG)))
    second = ask(studio, retry_of(first, 5, keep_audio=False))
    pages = [viewer_json(first), viewer_json(second), viewer_json(first, second), viewer_json(second, first)]
    assert len(encoded) == 1
    assert all(f'"samples":{encoded[0]}' in page for page in pages)


def test_the_clips_of_all_sessions_share_one_budget(tmp_path: Path, decoded: Counter[str]) -> None:
    files = [Path(copy(DOG, tmp_path / f"{number}.ogg")) for number in range(6)]
    one = load_clip(DOG).waveform.nbytes
    clips = ClipCache(decoding.load_clip, budget=3 * one)
    heard = [clips.load(str(file)) for file in files]
    assert clips.size == 3 * one
    assert heard[3].get() is not None  # used again: 4 is now the one to go first
    clips.load(str(files[0]))
    assert all(audio.get() for audio in heard[3:4] + heard[5:])
    assert decoded["3.ogg"] == decoded["5.ogg"] == 1
    assert heard[4].get() is not None
    assert decoded["4.ogg"] == 2


def test_what_the_page_was_sent_counts_as_well(studio: Studio) -> None:
    entry = ask(studio, AskRequest("What?", "qa", str(DOG)))
    before = studio.clips.size
    drawn = payload(entry)["sound"]
    assert studio.clips.size == before + len(drawn["mel"]) + len(drawn["peaks"]) + len(drawn["opus"])


def test_a_clip_that_was_let_go_is_decoded_again_while_its_file_is_there(tmp_path: Path) -> None:
    file = Path(copy(DOG, tmp_path))
    clips = ClipCache(load_clip, budget=1)
    audio = clips.load(str(file), 1.0, 3.0)
    before = audio.get()
    clips.load(str(RAIN))
    after = audio.get()
    assert before is not None
    assert after is not None
    assert after is not before
    assert (after.sha256, after.start, after.end) == (before.sha256, 1.0, 3.0)
    clips.load(str(RAIN))
    file.write_bytes(RAIN.read_bytes())
    assert audio.get() is None, "another sound has taken its place"
    file.unlink()
    assert audio.get() is None


def test_without_file_and_memory_an_answer_is_as_one_whose_audio_was_not_kept(
    studio: Studio, tmp_path: Path
) -> None:
    file = Path(copy(DOG, tmp_path))
    studio.clips = ClipCache(load_clip, budget=1)
    session = Session().add(ask(studio, AskRequest("What?", "qa", str(file))))
    file.unlink()
    entry = session.current
    assert entry is not None
    assert entry.clip is not None, "it is still held"
    studio.clips.load(str(RAIN))
    assert entry.clip is None
    assert payload(entry)["sound"]["peak"] == 0.0
    with pytest.raises(RequestError, match="same clip in the player"):
        audio_of(entry, None, studio.clips)
    assert audio_of(entry, str(DOG), studio.clips).heard == entry.answer.heard
    with pytest.raises(RequestError, match="upload it again"):
        ask(studio, retry_of(entry, 5, keep_audio=False))
