"""The simulated annotators of `benchmarks.teach`: what they want, and that their votes are learned from."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import corrections
from benchmarks.taste import ANNOTATORS, Question, follows, keep_votes, vote
from benchmarks.teach import Stages, answered
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
    """An engine whose answers are long with one seed and short with the next. asked: how often it was."""

    def __init__(self, folder: Path) -> None:
        self.answer = tiny.engine(folder).ask(tiny.clip(), "What?", max_new_tokens=1)
        self.asked = 0

    def ask(self, clip: Path, question: str, *, seed: int = 0, **options: object) -> Answer:
        self.asked += 1
        text = f"I hear {seed // 2}" + (" or less." if seed % 2 else ".")
        heard = replace(self.answer.heard, sha256=hashlib.sha256(clip.read_bytes()).hexdigest())
        return replace(self.answer, text=text, question=question, heard=heard, seed=seed, stopped=False)


def examples(label: str = "dog") -> list[Example]:
    return [
        Example(file, 1.0, "sound", None, label, file.name, "here", "CC0", "en")
        for file in sorted(CLIPS.glob("*.ogg"))
    ]


def test_their_votes_are_kept_as_the_app_s_and_learned_from(tmp_path: Path) -> None:
    asked, speaker = [Question(one, "What?") for one in examples()], Speaker(tmp_path)
    for _ in range(2):  # the second time from the file
        made = answered(lambda: speaker, asked, tmp_path / "answers.jsonl", 3, 0)  # type: ignore[arg-type, return-value]
        assert (len(made), speaker.asked) == (3, 6)
    liked = {}
    for name in ANNOTATORS:
        folder = tmp_path / name
        assert keep_votes(folder, name, made * 20, 0) == 60
        found = read_preferences(export(folder, tmp_path / f"{name}-export"))
        assert all(pair.asked.audio.parent == folder / "audio" for pair in found.pairs)
        rows = [line for file in (tmp_path / f"{name}-export").glob("*.jsonl") for line in file.open()]
        chosen = [json.loads(row)["chosen"] for row in rows]
        liked[name] = sum(not text.endswith("or less.") for text in chosen) / len(chosen)
    assert liked["taste"] == 1.0
    assert 0.6 < liked["noisy"] < 0.95
    assert 0.25 < liked["random"] < 0.75


def test_wrong_names_are_corrected_and_another_clip_of_the_sound_is_asked_about(tmp_path: Path) -> None:
    clips, speaker = examples(), Speaker(tmp_path)
    others = corrections.correct(speaker, clips, tmp_path / "data", 2, 0, lambda line: None)  # type: ignore[arg-type]
    assert others == clips[:1]
    found = read_preferences(export(tmp_path / "data", tmp_path / "export"))
    assert [(pair.evidence, pair.chosen) for pair in found.pairs] == [("correction", "I hear a dog.")] * 2
    assert clips[0].path.name not in {pair.asked.audio.name for pair in found.pairs}


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    for count in (1, 2):
        stages = Stages(tmp_path / "figures.json")
        assert stages.once("count", lambda count=count: count) == 1  # type: ignore[misc]
