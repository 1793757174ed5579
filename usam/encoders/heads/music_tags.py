"""musicnn's tags as words: which instruments, genre, mood, tempo and voice, for every few seconds of
music."""

from __future__ import annotations

from torch import Tensor

from usam.audio.samples import SAMPLE_RATE
from usam.encoders.base import Role
from usam.encoders.heads.sound_names import bracketed, is_silent, kinds_heard, music_spans
from usam.encoders.musicnn import MusiCNN
from usam.encoders.words import Heard
from usam.schema.words import Word

TAGS = 5  # of one span
LEAST_SCORE = 0.15
# What says no more than another tag does.
_SAME = {
    "vocals": "vocal", "voice": "vocal", "no vocals": "no vocal", "no voice": "no vocal", "beats": "beat",
    "male vocal": "male voice", "man": "male voice", "male": "male voice", "female vocal": "female voice",
    "woman": "female voice", "female": "female voice", "classic": "classical", "choral": "choir",
}  # fmt: skip
_UNSAID = frozenset({"weird", "solo", "no vocal"})


class MusicTags:
    """Words of the music expert, in braces: ` {piano, slow, classical}`."""

    role: Role = "music"
    reads_frames = False
    weighs_kinds = True

    def __init__(self, musicnn: MusiCNN) -> None:
        self.musicnn = musicnn

    def words(self, heard: Heard) -> list[Word]:
        found: list[Word] = []
        if heard.sounds is None:
            return found
        played = (
            music_spans(heard.sounds)
            if heard.kinds is None
            else [(span.start, span.end) for span in kinds_heard(heard) if "music" in span.kinds]
        )
        for start, end in played:
            part = heard.waveform[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
            if len(part) < SAMPLE_RATE // 10 or is_silent(part):
                continue
            found += bracketed(start, end, self._surest(self.musicnn.scores(part).mean(0)), "{", "}")
        return found

    def _surest(self, scores: Tensor) -> list[tuple[str, float]]:
        best, indices = scores.topk(2 * TAGS)
        tags: dict[str, float] = {}
        for score, index in zip(best.tolist(), indices.tolist(), strict=True):
            tag = self.musicnn.tags[index]
            tag = _SAME.get(tag, tag)
            if score >= LEAST_SCORE and tag not in _UNSAID:
                tags.setdefault(tag, score)
        return list(tags.items())[:TAGS]
