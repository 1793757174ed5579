"""The simulated annotator of `benchmarks.teach`: what it wants, and that its votes are learned from."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.teach import Question, collect, follows, vote
from tests import tiny
from usam.cli.tune import export
from usam.data.corpus import Example
from usam.schema.answer import Answer
from usam.training.preferences.rows import read_preferences

CLIPS = Path(__file__).parents[1] / "clips"


@pytest.mark.parametrize(
    ("answer", "task", "wanted"),
    [
        ("I hear a dog.", "qa", True),
        ("I hear a dog or a wolf.", "qa", False),
        ("A dog, or perhaps a fox.", "qa", False),
        ("A dog. A cat.", "qa", False),
        ("I hear the order of an actor.", "qa", True),
        ("a b c d e f g h i j k l m.", "qa", False),
        ("", "qa", False),
        ("Go home. Now!", "asr", True),
        ("go home", "asr", False),
    ],
)
def test_its_taste(answer: str, task: str, wanted: bool) -> None:
    assert follows(answer, task) is wanted


def test_of_two_that_it_likes_alike_the_shorter_wins_and_a_transcript_none() -> None:
    assert vote("A dog.", "I hear a dog.", "qa") == "a"
    assert vote("A dog or so.", "I hear the sound of a dog.", "qa") == "b"
    assert vote("A dog.", "A cat.", "qa") == "tie"
    assert vote("Go.", "Go home at once.", "asr") == "tie"


class Speaker:
    """An engine whose answers are long with one seed and short with the next."""

    def __init__(self, folder: Path) -> None:
        self.answer = tiny.engine(folder).ask(tiny.clip(), "What?", max_new_tokens=1)

    def ask(self, clip: Path, question: str, *, seed: int, **options: object) -> Answer:
        text = f"I hear {seed // 2}" + (" or less." if seed % 2 else ".")
        heard = replace(self.answer.heard, sha256=hashlib.sha256(clip.read_bytes()).hexdigest())
        return replace(self.answer, text=text, question=question, heard=heard, seed=seed, stopped=False)


def test_its_votes_are_kept_as_the_app_s_and_learned_from(tmp_path: Path) -> None:
    asked = [
        Question(Example(file, 1.0, "sound", None, "dog", file.name, "here", "CC0", "en"), "What?")
        for file in sorted(CLIPS.glob("*.ogg"))
    ]
    folders = {name: tmp_path / name for name in ("taste", "random")}
    assert collect(Speaker(tmp_path), asked, folders, 3, 0) == 3  # type: ignore[arg-type]
    for name, folder in folders.items():
        found = read_preferences(export(folder, tmp_path / f"{name}-export"))
        assert found.counts == {"comparison": 3}
        assert all(pair.asked.audio.parent == folder / "audio" for pair in found.pairs)
        liked = {pair.chosen.endswith("or less.") for pair in found.pairs}
        assert liked == {False} or name == "random"
