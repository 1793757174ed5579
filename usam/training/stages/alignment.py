"""Stage 1: audio tokens learn to point at words, without a pass through the LLM.

Speech by CTC on its transcript, sounds and music by the words of their label and by what the audio encoder's
own head hears in every frame. The speech encoder's upper layers are tuned along by LoRA. The router learns
alongside, with a light term that ties each kind of audio to an expert, and SACLM with its own loss, its
predictive score learning from CTC's blanks what is redundant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from usam.adapter.saclm import masked_mean
from usam.adapter.tokens import AudioTokens
from usam.config import FRAME_RATE
from usam.data.corpus import Example
from usam.data.frame_cache import FeatureCache, prefetch
from usam.encoders import Whisper
from usam.encoders.base import placement
from usam.model.model import USAM
from usam.schema.tasks import TASKS
from usam.training.targets.pseudo_labels import SoundTeacher
from usam.training.targets.word_targets import KIND_WORDS, Targets
from usam.training.trainer import Budget, draws, train

KINDS = ("speech", "sound", "music")
LONGEST_FRAMES = 200  # of clips without words: a cut tells as much, and every frame costs
DOMAIN_WEIGHT = 0.1
WORDS_WEIGHT = 0.5
SACLM_WEIGHT = 0.1
SACLM_FROM = 1500  # steps
BLANK_WEIGHT = 0.1


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

    def __init__(self, cache: FeatureCache, model: USAM, targets: Targets, teacher: SoundTeacher) -> None:
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
        start = config.encoder_dims[0]
        words = [
            self._words(
                item, clip[:: config.frames_per_token, start : start + config.encoder_dims[1]], length
            )
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
        said = local.clone()
        said[slots < self.queries - 2] = self.targets.words({item.label[-1]: 1.0}, blank=0.0)
        said[slots == 0] = self.targets.words({item.label[0]: 1.0}, blank=0.0)
        said[slots == self.queries - 1] = self.targets.words({KIND_WORDS[item.example.kind]: 1.0}, blank=0.5)
        said[silent] = self.blank
        return said


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


def listen(model: USAM, batch: AlignmentBatch, tuning: bool) -> Tensor:
    """Cached frames [B, T, D] -> U [B, T, D]: the speech encoder's upper layers run, spans silenced."""
    whisper = model.encoders[0]
    assert isinstance(whisper, Whisper)
    frames = spec_augment(batch.frames)
    with torch.set_grad_enabled(tuning):
        heard = whisper.upper(frames[..., : whisper.dim].to(placement(whisper)[1]), batch.mask)
    return torch.cat([heard.float(), frames[..., whisper.dim :]], dim=-1)


def alignment_losses(
    model: USAM, batch: AlignmentBatch, step: int, saclm_from: int | None
) -> dict[str, Tensor]:
    """All losses of one batch; "loss" is their weighted sum. SACLM joins at its step, or never."""
    with torch.autocast("cpu", torch.bfloat16):
        audio = model.embed_audio(listen(model, batch, tuning=True), batch.mask, batch.questions)
    assert audio.logits is not None
    log_probs = audio.logits.float().log_softmax(-1)
    parts = word_losses(audio, log_probs, batch)
    loss = sum(parts.values(), log_probs.new_zeros(()))
    parts["domain"] = domain(audio, [item.example.kind for item in batch.items])
    loss = loss + DOMAIN_WEIGHT * parts["domain"]
    if saclm_from is not None and step >= saclm_from:
        texts = [target_text(model, item) for item in batch.items]
        parts["saclm"] = saclm(model, audio, texts)
        parts["blank"] = blank(model, audio, log_probs, texts)
        loss = loss + SACLM_WEIGHT * parts["saclm"] + BLANK_WEIGHT * parts["blank"]
    return {"loss": loss, **parts}


def word_losses(audio: AudioTokens, log_probs: Tensor, batch: AlignmentBatch) -> dict[str, Tensor]:
    """CTC of the clips that speak, cross-entropy of every token's words of those that do not."""
    speech = torch.tensor([item.sequence for item in batch.items])
    parts: dict[str, Tensor] = {}
    if speech.any():
        spoken = [item.classes for item in batch.items if item.classes is not None]
        parts["ctc"] = ctc(log_probs[speech], audio.mask[speech], spoken)
    if batch.words is not None:
        parts["words"] = WORDS_WEIGHT * token_words(log_probs[~speech], audio.mask[~speech], batch.words)
    return parts


def ctc(log_probs: Tensor, mask: Tensor, targets: Sequence[Tensor]) -> Tensor:
    """CTC of log_probs [B, L, V + 1] on class sequences, averaged per target piece."""
    lengths = torch.tensor([len(target) for target in targets])
    losses = F.ctc_loss(
        log_probs.transpose(0, 1),
        torch.cat(list(targets)),
        mask.sum(-1),
        lengths,
        blank=log_probs.shape[-1] - 1,
        reduction="none",
        zero_infinity=True,
    )
    return losses.sum() / lengths.sum().clamp_min(1)


def token_words(log_probs: Tensor, mask: Tensor, words: Tensor) -> Tensor:
    """Cross-entropy of every token's log_probs [B, L, V + 1] against its words, a mean over real tokens."""
    return masked_mean(-(words * log_probs).sum(-1, keepdim=True), mask).mean()


def domain(audio: AudioTokens, kinds: Sequence[str]) -> Tensor:
    """The router's light tie: a clip's mean routing against the expert of its kind."""
    index = torch.tensor([KINDS.index(kind) for kind in kinds]) % audio.routing.shape[-1]
    return F.nll_loss(masked_mean(audio.routing, audio.mask).clamp_min(1e-6).log(), index)


def target_text(model: USAM, item: AlignmentItem) -> Tensor:
    """Token ids of what the clip says or is, the text that supervises SACLM."""
    if item.classes is not None:
        return model.adapter.anchor.token_ids[item.classes]  # type: ignore[union-attr]
    return torch.tensor(model.prompts.ids(" " + " ".join(item.label or ("nothing",))))


def saclm(model: USAM, audio: AudioTokens, texts: Sequence[Tensor]) -> Tensor:
    return model.adapter.saclm.loss(audio.tokens, audio.mask, *model.embed_text(texts))


def blank(model: USAM, audio: AudioTokens, log_probs: Tensor, texts: Sequence[Tensor]) -> Tensor:
    """The predictive score learns from the blank posterior which tokens carry no word."""
    scores = model.significance(audio, texts)
    wanted = 1 - log_probs[..., -1].exp().detach()
    return F.binary_cross_entropy_with_logits(scores.predictive_logits[audio.mask], wanted[audio.mask])


def direct_losses(model: USAM, batch: AlignmentBatch, step: int) -> dict[str, Tensor]:
    """CTC alone, on a batch of speech."""
    with torch.autocast("cpu", torch.bfloat16):
        audio = model.embed_audio(listen(model, batch, tuning=False), batch.mask, batch.questions)
    assert audio.logits is not None
    return {"loss": word_losses(audio, audio.logits.float().log_softmax(-1), batch)["ctc"]}


def run_direct(
    model: USAM, collate: Collator, pools: Sequence[Pool], budget: Budget, folder: Path, seed: int = 0
) -> None:
    """A few minutes of CTC on speech with the Q-Former's layers left out.

    Everything at once from random weights stays on the plateau where every token is blank.
    """
    torch.manual_seed(seed)
    model.train()
    model.llm.requires_grad_(False)
    model.adapter.qformer.direct = True
    spoken = [pool for pool in pools if any(item.sequence for item in pool.items)]
    groups = [{"params": list(model.adapter.parameters()), "lr": 1e-3}]
    batches = prefetch(draw(spoken, 24.0, draws(folder, seed)), collate)
    train(model.adapter, groups, batches, partial(direct_losses, model), budget, folder)
    model.adapter.qformer.direct = False


def run_alignment(
    model: USAM,
    collate: Collator,
    pools: Sequence[Pool],
    budget: Budget,
    folder: Path,
    seed: int = 0,
    started: bool = False,
    with_saclm: bool = True,
) -> None:
    """Train the whole path from frames to words. SACLM joins once tokens mean something.

    `started` is a model that speaks already, which smaller steps improve on.
    """
    torch.manual_seed(seed)
    model.train()
    model.llm.requires_grad_(False)
    adapter = model.adapter
    layers = list(adapter.qformer.layers.parameters())
    slow = list(adapter.qformer.slow.parameters()) if adapter.qformer.slow is not None else []
    others = [p for p in adapter.parameters() if all(p is not other for other in [*layers, *slow])]
    groups = [
        {"params": others, "lr": 4e-4 if started else 8e-4},
        {"params": slow, "lr": 8e-4},
        {"params": layers, "lr": 2.5e-4},
        {"params": [p for p in model.encoders.parameters() if p.requires_grad], "lr": 4e-4},
    ]
    batches = prefetch(draw(pools, 32.0, draws(folder, seed)), collate)
    saclm_from = (0 if started else saclm_start(budget)) if with_saclm else None
    train(model, groups, batches, partial(alignment_losses, model, saclm_from=saclm_from), budget, folder)


def saclm_start(budget: Budget) -> int:
    """The step from which tokens mean something; a third of a run that is shorter than usual."""
    return SACLM_FROM if budget.steps is None else min(SACLM_FROM, budget.steps // 3)
