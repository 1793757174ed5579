"""What a batch shows the model: each token's words, and which clips are drawn."""

from pathlib import Path
from random import Random

import torch
from torch import Tensor

from usam.data.corpus import Example
from usam.training.stages.batches import AlignmentItem, Pool, TokenWords, draw
from usam.training.targets.word_targets import Targets


def example(kind: str = "sound", label: str | None = None, seconds: float = 1.0) -> Example:
    return Example(Path("clip"), seconds, kind, None, label, "group", "source", "", "")  # type: ignore[arg-type]


def letters(targets: Targets, distribution: Tensor) -> str:
    names = [chr(token) for token in targets.token_ids] + ["-"]
    return "".join(sorted(names[index] for index in distribution.nonzero()[:, 0].tolist()))


def test_a_windows_queries_say_the_labels_words_what_is_heard_and_the_kind(targets: Targets) -> None:
    item = AlignmentItem(example(), label=("ab", "cd"))
    local = targets.words({"xy": 1.0}, blank=0.0).repeat(6, 1)
    silent = torch.tensor([False] * 5 + [True])
    said = TokenWords(targets, queries=4)(item, local, silent)
    assert [letters(targets, token) for token in said] == ["ab", "cd", "xy", "-dnosu", "ab", "-"]
    assert torch.allclose(said.sum(-1), torch.ones(6))


def test_a_clip_of_nothing_says_nothing(targets: Targets) -> None:
    local = targets.words({"xy": 1.0}, blank=0.0).repeat(3, 1)
    said = TokenWords(targets, queries=4)(AlignmentItem(example()), local, torch.zeros(3, dtype=torch.bool))
    assert [letters(targets, token) for token in said] == ["-", "-", "-"]


def test_batches_hold_about_the_seconds_asked_for_and_long_sounds_count_as_cut() -> None:
    items = [AlignmentItem(example(seconds=30.0), label=("rain",))]
    batch = next(draw([Pool(items, 1.0, [1.0])], 16.0, Random(0)))
    assert len(batch) == 4
