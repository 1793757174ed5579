"""From labelled clips to what training draws."""

from dataclasses import replace
from pathlib import Path

import torch

from usam.data.corpus import Example
from usam.data.frame_cache import FrameCache
from usam.encoders import YAMNet
from usam.training.dataset import alignment_item, alignment_items, evened
from usam.training.stages.batches import AlignmentItem
from usam.training.targets.pseudo_labels import SoundTeacher
from usam.training.targets.word_targets import Targets


def example(kind: str = "sound", label: str | None = None, seconds: float = 1.0) -> Example:
    return Example(Path("clip"), seconds, kind, None, label, "group", "source", "", "")  # type: ignore[arg-type]


def test_a_mixture_says_what_is_behind_the_words_before_and_after_them(
    targets: Targets, tmp_path: Path
) -> None:
    mixture = replace(example("speech"), transcript="abc", background="music")
    item = alignment_item(
        mixture, targets, FrameCache(tmp_path, []), SoundTeacher(YAMNet(("ab", "Silence")), targets)
    )
    assert item is not None
    assert item.classes is not None
    assert "".join(chr(targets.token_ids[index]) for index in item.classes) == "musicabcmusic"


def test_frequent_labels_are_drawn_less_often_a_clip_but_not_less_often_in_all() -> None:
    items = [AlignmentItem(example(), label=("rain",))] * 9 + [AlignmentItem(example(), label=("owl",))]
    weights = evened(items)
    assert weights[0] < weights[-1] < sum(weights[:9])


def test_a_clip_too_short_for_its_transcript_is_left_out_and_said_so(
    targets: Targets, tmp_path: Path
) -> None:
    cache = FrameCache(tmp_path / "frames", [])
    teacher = SoundTeacher(YAMNet(("ab", "Silence")), targets)
    clips = []
    for index, (transcript, tokens) in enumerate([("abc", 3), ("abc", 2), ("aab", 3), ("aab", 4)]):
        clip = replace(example("speech"), path=tmp_path / str(index), transcript=transcript)
        clip.path.write_bytes(bytes([index]))
        cache.store(cache.file(clip), torch.zeros(tokens * 4 * 320))
        clips.append(clip)
    told: list[str] = []
    items = alignment_items(clips, targets, cache, teacher, frames_per_token=4, report=told.append)
    assert [item.example for item in items] == [clips[0], clips[3]]
    [line] = told
    assert line.startswith("2 clips")
