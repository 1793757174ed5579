"""One answer as a table, and what its files are called."""

from dataclasses import replace

import pytest
import torch

from tests.fake_engine import trace_of
from tests.ui.heard import entry
from ui.report.export import caption, file_name, numbers_of
from usam.audio.clip import Clip
from usam.audio.samples import SAMPLE_RATE


def clip(seconds: float = 2.0, seed: int = 0) -> Clip:
    waveform = torch.rand(int(seconds * SAMPLE_RATE), generator=torch.Generator().manual_seed(seed)) - 0.5
    return Clip(waveform, 0.0, seconds, seconds, f"{seed:064x}")


def test_the_table_has_every_number_of_every_token() -> None:
    trace = trace_of(clip(2.0), "question")
    table = numbers_of(trace)
    assert len(table) == len(trace.tokens)
    assert table[list(trace.experts)].sum(axis=1).tolist() == pytest.approx([1.0] * len(table), abs=2e-3)
    assert (table["redundant"] == "yes").tolist() == [token.redundant for token in trace.tokens]
    assert table["to s"].iloc[-1] == 2.0


@pytest.mark.parametrize(
    ("clip_name", "question", "name"),
    [
        ("Dog", "What animal is this?", "dog-what-animal-is-this"),
        ("my clip (2).mp3", "¿Qué se oye?", "my-clip-2-qué-se-oye"),
        ("../../etc", "a/b\\c\n<d>", "etc-a-b-c-d"),
        ("", "x" * 300, "clip-" + "x" * 75),
    ],
)
def test_files_are_named_after_clip_and_question(clip_name: str, question: str, name: str) -> None:
    shown = entry("key", clip())
    shown = replace(shown, clip_name=clip_name, answer=replace(shown.answer, question=question))
    assert file_name(shown) == name


def test_the_caption_says_what_was_asked_of_which_model() -> None:
    question, answer, made = caption(replace(entry("key", clip()), clip_name="Dog"))
    assert (question, answer) == ("Question: question key", "Answer: answer key")
    assert made.startswith("Dog, 0.0–2.0 s of 2.0 s. mini, none, checkpoint ")
