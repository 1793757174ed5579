"""Mixtures and composites of held-out clips, and which clips are drawn."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from usam.audio.samples import SAMPLE_RATE
from usam.evaluation.clips import BETWEEN_PARTS, TestSet, mixed, read_clips


def test_a_mixture_holds_both_clips_and_the_louder_is_the_speech(clips: TestSet) -> None:
    again = list(mixed(clips.single, 2))
    assert [sorted(c.kinds) for c in again] == [["music", "speech"]] * 2 + [["sound", "speech"]] * 2
    for one, same in zip(clips.mixed, again, strict=True):
        assert torch.equal(one.waveform, same.waveform)
        assert one.waveform.abs().max() <= 1
        [voice] = [c.waveform for c in clips.single if c.name == one.name.split(" + ")[0]]
        assert len(one.waveform) == len(voice)
        assert correlation(one.waveform, voice) > 0.65  # at least as strong as the rest
        rest = one.waveform - voice * (one.waveform @ voice) / (voice @ voice)
        assert rest.norm() > 0.2 * one.waveform.norm()


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one, other, dim=0))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Seven clips of each kind, from sources held out whole; of speech some men, women and children."""
    people = ["gender=m", "gender=f", "gender=f;age=6", "gender=m;age=13"]
    rows = []
    for index in range(7):
        speaker = f"speechocean762:0461;{people[index % 4]}"
        rows += [
            (
                f"speech/speechocean762/{index}.wav",
                1.5,
                "speech",
                f"this is sentence {'abcdefg'[index]}",
                "en",
                speaker,
            ),
            (f"sound/petz/{index}.wav", 0.5, "sound", ["dog bark", "laugh", "car horn"][index % 3], "", ""),
            (f"music/ibm_max/{index}.wav", 0.5 + 3 * index, "music", "flute", "", ""),
        ]
    rng = np.random.default_rng(0)
    for path, seconds, *_ in rows:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / path, 0.1 * rng.standard_normal(int(seconds * SAMPLE_RATE)), SAMPLE_RATE)
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        columns = "path,seconds,kind,label_or_transcript,language,speaker_or_group,licence"
        csv.writer(file).writerows([columns.split(","), *((*row, "") for row in rows)])
    return tmp_path


def test_composites_are_whole_clips_of_each_kind_with_silence_between_them(corpus: Path) -> None:
    composites = read_clips(corpus).composites
    assert len(composites) == 3  # of the sounds, laughter is a voice, and a horn an instrument; music is cut
    gap = int(BETWEEN_PARTS * SAMPLE_RATE)
    for clip in composites:
        assert {kind for part in clip.parts for kind in part.kinds} == {"speech", "sound", "music"}
        assert {part.label for part in clip.parts} == {None, "dog bark", "flute"}
        at = 0
        for part in clip.parts:
            heard = clip.waveform[at : at + len(part.waveform)]
            assert correlation(heard, part.waveform) == pytest.approx(1)
            assert float(heard.abs().max()) == pytest.approx(0.5)
            at += len(part.waveform)
            assert not clip.waveform[at : at + gap].any()
            at += gap
        assert at - gap == len(clip.waveform)
    assert len({tuple(min(part.kinds) for part in clip.parts) for clip in composites}) == 3


def test_speakers_and_sentences_are_drawn_from_all_clips_whatever_the_limit(corpus: Path) -> None:
    clips = read_clips(corpus, 1)
    assert len(clips.of("speech")) == 1
    assert [clip.speaker for clip in clips.speakers] == ["man", "woman", "child"]
    assert len(clips.sentences) == len(clips.composites) == 1
    everything = read_clips(corpus)
    assert [clip.speaker for clip in everything.speakers] == ["man"] * 2 + ["woman"] * 2 + ["child"] * 2
    assert {id(clip) for clip in everything.speakers} < {id(clip) for clip in everything.single}
