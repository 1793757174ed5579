"""Batches of stage 1, and what is drawn into them: clips, cached frames, and what their tokens should say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from usam.config import FRAME_RATE
from usam.data.corpus import Example
from usam.data.frame_cache import FrameCache
from usam.encoders import Whisper
from usam.encoders.base import placement
from usam.model.model import USAM
from usam.schema.tasks import TASKS
from usam.training.targets.pseudo_labels import SoundTeacher
from usam.training.targets.word_targets import KIND_WORDS, Targets

LONGEST_FRAMES = 200  # of clips without words: a cut tells as much, and every frame costs


@dataclass(frozen=True)
class AlignmentItem:
    """A clip and what its tokens should say.

    Speech has CTC classes [N]. Sounds and music have the words of their `label` and the names the audio
    encoder's own head has `heard`; clips with neither should say nothing.
    """

    example: Example
    classes: Tensor | None = None
    label: Sequence[str] = ()
    heard: Sequence[str] = ()

    @property
    def sequence(self) -> bool:
        return self.classes is not None

    @property
    def seconds(self) -> float:
        """What is used of the clip: all of speech, a cut of the rest."""
        longest = self.example.seconds if self.sequence else LONGEST_FRAMES / FRAME_RATE
        return min(self.example.seconds, longest)


@dataclass(frozen=True)
class AlignmentBatch:
    """Frames [B, T, D] with mask [B, T]; `words` [B', L, V + 1] of the clips that are no speech."""

    frames: Tensor
    mask: Tensor
    items: Sequence[AlignmentItem]
    questions: Sequence[Tensor]
    words: Tensor | None


@dataclass(frozen=True)
class Pool:
    """Items drawn together: `share` of the drawn clips, each by its weight."""

    items: Sequence[AlignmentItem]
    share: float
    weights: Sequence[float]


class Collator:
    """Turns drawn items into batches."""

    def __init__(self, cache: FrameCache, model: USAM, targets: Targets, teacher: SoundTeacher) -> None:
        self.cache, self.model, self.targets, self.teacher = cache, model, targets, teacher
        self.slots = TokenWords(targets, model.adapter.config.queries_per_window)

    def __call__(self, items: Sequence[AlignmentItem]) -> AlignmentBatch:
        """Frames, masks, questions and words of the items; clips without a transcript are cut."""
        config = self.model.adapter.config
        frames = [self.cache.frames(item.example, config.encoder_names) for item in items]
        frames = [
            clip if item.sequence else crop(clip, LONGEST_FRAMES)
            for clip, item in zip(frames, items, strict=True)
        ]
        padded = pad_sequence(frames, batch_first=True)
        mask = torch.arange(padded.shape[1]) < torch.tensor([len(clip) for clip in frames])[:, None]
        length = -(-padded.shape[1] // config.frames_per_token)
        channels = config.channels("audio")
        words = [
            self._words(item, clip[:: config.frames_per_token, channels], length)
            for item, clip in zip(items, frames, strict=True)
            if not item.sequence
        ]
        return AlignmentBatch(
            padded, mask, items, self._questions(items), torch.stack(words) if words else None
        )

    def _words(self, item: AlignmentItem, heard: Tensor, length: int) -> Tensor:
        """Audio encoder's frames [L', 1024], one a token -> [length, V + 1], nothing in the padding."""
        return F.pad(self.slots(item, *self.teacher.local(heard)), (0, 0, 0, length - len(heard)))

    def _questions(self, items: Sequence[AlignmentItem]) -> list[Tensor]:
        asked = {"speech": "asr", "sound": "aac", "music": "mc"}
        # The router reads the task from the prompt, but has to hear the kind of audio itself: half ask alike.
        texts = [
            TASKS["qa" if index % 2 else asked[item.example.kind]].prompt for index, item in enumerate(items)
        ]
        return [torch.tensor(self.model.prompts.ids(text)) for text in texts]


class TokenWords:
    """What each token of a sound should say: a window's queries share the work.

    The first says the label's first word, the last but two its last, the next what the audio encoder's own
    head hears there and then, the last the kind of audio or nothing. Sharper than every token saying all.
    """

    def __init__(self, targets: Targets, queries: int) -> None:
        self.targets, self.queries = targets, queries
        self.blank = targets.words({})

    def __call__(self, item: AlignmentItem, local: Tensor, silent: Tensor) -> Tensor:
        """local [L, V + 1] and silent [L] of `SoundTeacher.local` -> target [L, V + 1]."""
        if not item.label:
            return self.blank.expand(len(local), -1)
        slots = torch.arange(len(local)) % self.queries
        targets = local.clone()
        targets[slots < self.queries - 2] = self.targets.words({item.label[-1]: 1.0}, blank=0.0)
        targets[slots == 0] = self.targets.words({item.label[0]: 1.0}, blank=0.0)
        targets[slots == self.queries - 1] = self.targets.words(
            {KIND_WORDS[item.example.kind]: 1.0}, blank=0.5
        )
        targets[silent] = self.blank
        return targets


def draw(
    pools: Sequence[Pool], seconds: float, random: Random, chunk: int = 8
) -> Iterator[list[AlignmentItem]]:
    """Endless batches of about `seconds` of audio, of similar length within a batch."""
    live = [pool for pool in pools if pool.items]
    summed = [list(accumulate(pool.weights)) for pool in live]
    while True:
        drawn: list[AlignmentItem] = []
        while sum(item.seconds for item in drawn) < seconds * chunk:
            [index] = random.choices(range(len(live)), [pool.share for pool in live])
            drawn += random.choices(live[index].items, cum_weights=summed[index])
        drawn.sort(key=lambda item: item.seconds)
        batches: list[list[AlignmentItem]] = [[]]
        for item in drawn:
            if item.seconds * (len(batches[-1]) + 1) > seconds and batches[-1]:
                batches.append([])
            batches[-1].append(item)
        random.shuffle(batches)
        yield from batches


def crop(frames: Tensor, longest: int) -> Tensor:
    """A random span of at most `longest` frames of one clip [T, D]."""
    if len(frames) <= longest:
        return frames
    start = int(torch.randint(0, len(frames) - longest + 1, ()))
    return frames[start : start + longest]


def spec_augment(frames: Tensor, widest: int = 16, masks: int = 2) -> Tensor:
    """Silence a few short spans of every clip's frames [B, T, D] (SpecAugment's time masks)."""
    frames = frames.clone()
    for clip in frames:
        for _ in range(masks):
            width = int(torch.randint(0, widest + 1, ()))
            start = int(torch.randint(0, max(1, len(clip) - width), ()))
            clip[start : start + width] = clip.mean(0)
    return frames


def encode_frames(model: USAM, batch: AlignmentBatch, tuning: bool) -> Tensor:
    """Cached frames [B, T, D] -> U [B, T, D]: the speech encoder's upper layers run, spans silenced."""
    whisper = model.encoder("speech")
    assert isinstance(whisper, Whisper)
    frames = spec_augment(batch.frames)
    speech = model.adapter.config.channels("speech")
    with torch.set_grad_enabled(tuning):
        heard = whisper.upper(frames[..., speech].to(placement(whisper)[1]), batch.mask)
    return torch.cat([frames[..., : speech.start], heard.float(), frames[..., speech.stop :]], dim=-1)
