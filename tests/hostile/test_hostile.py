"""The decoder against hostile files: a sample of what `python -m tests.hostile` tries, and random damage."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.hostile import headers
from tests.hostile.containers import CONTAINERS, good, png
from tests.hostile.corpus import Case, corpus, packed_movie
from tests.hostile.judge import MAX_SECONDS, judge, open_files, restart_peak, sentence_faults
from usam.audio import ffmpeg as decoding
from usam.audio.clip import load_clip
from usam.errors import AudioError

CASES = corpus()
SAMPLE = [case for case in CASES if case.family not in ("long", "bombs")][::10]


def test_there_are_500_different_files() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 500


@pytest.mark.parametrize("family", dict.fromkeys(case.family for case in SAMPLE))
def test_hostile_files_are_heard_or_refused_in_one_sentence(family: str, tmp_path: Path) -> None:
    verdicts = [judge(case, tmp_path) for case in SAMPLE if case.family == family]
    assert {verdict.case.name: verdict.faults for verdict in verdicts if verdict.faults} == {}


@pytest.mark.parametrize("name", ["10-hours.aac", "packed-blocks-8.mka", "bomb-named.wav", "many-tags.mp3"])
def test_long_clips_and_bombs_stay_small(name: str, tmp_path: Path) -> None:
    [case] = [case for case in CASES if case.name == name]
    assert judge(case, tmp_path).faults == ()


def test_cover_art_is_never_unpacked(tmp_path: Path) -> None:
    """A picture of 8000 x 8000 is 192 MB, and 190 kB in a file."""
    art = Case(
        "bombs", "art.flac", lambda: headers.flac_with_picture(good("flac"), png(8_000, 8_000)), heard=True
    )
    art.make()
    verdict = judge(art, tmp_path)
    assert verdict.faults == ()
    assert verdict.megabytes < 50


def test_a_packed_movie_header_is_refused_packed(tmp_path: Path) -> None:
    bomb = Case("bombs", "bomb.mov", lambda: packed_movie(200), heard=False)
    verdict = judge(bomb, tmp_path)
    assert "compressed header" in verdict.outcome
    assert verdict.faults == ()
    assert verdict.megabytes < 50


def test_a_packed_header_is_found_across_blocks() -> None:
    bomb = packed_movie(1)
    at = bomb.index(b"cmov")
    for shift in range(13):
        with pytest.raises(AudioError, match="compressed header"):
            load_clip(headers.box(b"free", bytes(2**20 - at - 8 - shift)) + bomb)


def test_decoding_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_DECODING", 0.0)
    with pytest.raises(AudioError):
        load_clip(good("wav"))
    # In the middle of a file: what was read by then may not pass for all of it.
    moments = iter([0.0] * 20)
    monkeypatch.setattr(decoding.time, "monotonic", lambda: next(moments, 1.0))
    monkeypatch.setattr(decoding, "MAX_DECODING", 0.5)
    with pytest.raises(AudioError, match="too long to decode"):
        load_clip(headers.wav(bytes(10**6)))


def test_nothing_is_held_on_to(tmp_path: Path) -> None:
    few = SAMPLE[::3]
    for case in few:
        judge(case, tmp_path)
    before = restart_peak(), threading.active_count(), open_files()
    for case in few:
        judge(case, tmp_path)
    assert restart_peak() < before[0] + 32
    assert (threading.active_count(), open_files()) == before[1:]
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=80, deadline=1000 * MAX_SECONDS)
@given(data=st.data(), kind=st.sampled_from(sorted(CONTAINERS)))
def test_damage_anywhere_in_any_container_is_heard_or_refused(data: st.DataObject, kind: str) -> None:
    file = bytearray(good(kind))
    reach = data.draw(st.sampled_from([64, 512, len(file)]))
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, min(reach, len(file)) - 1))
        file[at] = data.draw(st.integers(0, 255))
    begin = data.draw(st.sampled_from([None, 0.0, 0.4, 50.0, 80_000.0]))
    hear(bytes(file[: data.draw(st.integers(1, len(file)))]), begin)


@settings(max_examples=60, deadline=1000 * MAX_SECONDS)
@given(head=st.sampled_from([b"", *(good(kind)[:24] for kind in sorted(CONTAINERS))]), tail=st.binary())
@example(b"", b"\0" * 5_000)
def test_any_bytes_are_heard_or_refused(head: bytes, tail: bytes) -> None:
    hear(head + tail)


@settings(max_examples=80, deadline=1000 * MAX_SECONDS)
@given(
    rate=st.one_of(st.integers(-1, 2**31), st.sampled_from([8_000, 16_000, 48_000])),
    shape=st.one_of(
        st.tuples(),
        *(st.tuples(st.integers(0, 3_000), *[st.integers(0, 70)] * n) for n in (0, 1)),
        st.just((2_000, 2, 2)),
    ),
    kind=st.sampled_from(["u1", "i1", "i2", "u2", "i4", "i8", "f2", "f4", "f8", "c8", "?", "U1", "O"]),
    value=st.sampled_from([0, 1, -1, 127, 1e30, float("nan"), float("-inf")]),
)
def test_any_array_is_heard_or_refused(rate: int, shape: tuple[int, ...], kind: str, value: float) -> None:
    with np.errstate(all="ignore"):
        samples = np.resize(np.array([value]).astype(kind, casting="unsafe"), shape)
    hear((rate, samples))


def hear(source: bytes | tuple[int, np.ndarray], start: float | None = None) -> None:
    """Load a clip; it is fit to be heard, or there is one sentence."""
    try:
        clip = load_clip(source, start)
    except AudioError as error:
        sentence = str(error)
        assert sentence_faults(sentence) == []
        return
    assert torch.isfinite(clip.waveform).all()
    assert clip.waveform.abs().max() <= 1
    assert 0.099 <= clip.end - clip.start <= 30.001
