"""What the parts say alone."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch import Tensor

from usam.engine.engine import Engine
from usam.evaluation.answering import ask
from usam.evaluation.baselines import specialists
from usam.evaluation.baselines.specialists import WITHOUT_AUDIO, repetitive, whisper
from usam.evaluation.clips import TestSet
from usam.evaluation.question_sets import question_sets
from usam.evaluation.questions import Question


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("six", False),
        ("What would you have me do about all this?", False),
        ("I don't know. " * 30, True),
        ("ha" * 100, True),
    ],
)
def test_loop_guard(text: str, loops: bool) -> None:
    assert repetitive(text) is loops


def test_without_audio_no_clip_changes_the_answer(attentive: Engine, clips: TestSet) -> None:
    questions = [Question(c, "What is this?", 6) for c in clips.single]
    assert len({reply.text for reply in ask(attentive, questions)}) > 3
    assert len({reply.text for reply in ask(attentive, questions, intervention=WITHOUT_AUDIO)}) == 1


def test_whispers_texts_are_kept_by_what_a_clip_holds_not_by_its_name(
    clips: TestSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []

    class Transcriber:
        def transcribe(self, waveform: Tensor) -> str:
            heard.append(len(waveform))
            return f"number {len(heard)}"

    monkeypatch.setattr(specialists, "load_transcriber", lambda folder: Transcriber())
    monkeypatch.setattr(specialists, "fetch", lambda: SimpleNamespace(encoders={"whisper-base": None}))
    questions = question_sets(clips)["transcription"]
    for _ in range(2):
        whisper(questions, tmp_path, lambda message: None)
    assert len(heard) == len(questions)
    changed = replace(questions[0], clip=replace(questions[0].clip, waveform=questions[0].clip.waveform / 2))
    whisper([changed, *questions[1:]], tmp_path, lambda message: None)
    assert len(heard) == len(questions) + 1
