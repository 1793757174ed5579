"""Stage 1: audio tokens learn to point at words, without a pass through the LLM.

Speech by CTC on its transcript, sounds and music by the words of their label over the whole clip. The
router learns alongside, with a light term that ties each kind of audio to an expert, and SACLM with
its own loss, its predictive score learning from CTC's blanks what is redundant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from usam.adapter import AudioTokens
from usam.model import USAM
from usam.saclm import masked_mean
from usam.tasks import TASKS
from usam.training.corpora import Example
from usam.training.features import FeatureCache, prefetch
from usam.training.loop import Budget, train

KINDS = ("speech", "sound", "music")
DOMAIN_WEIGHT = 0.1
WORDS_WEIGHT = 0.5
SACLM_WEIGHT = 0.1
BLANK_WEIGHT = 0.1


@dataclass(frozen=True)
class AlignmentItem:
    """A clip with its target: CTC classes [N], or a distribution [V + 1] over the clip's words."""

    example: Example
    words: Tensor
    sequence: bool


@dataclass(frozen=True)
class AlignmentBatch:
    frames: Tensor
    mask: Tensor
    items: Sequence[AlignmentItem]
    questions: Sequence[Tensor]


@dataclass(frozen=True)
class Pool:
    """Items drawn together, and how often: `share` of the drawn clips."""

    items: Sequence[AlignmentItem]
    share: float


def draw(pools: Sequence[Pool], seconds: float, seed: int, chunk: int = 8) -> Iterator[list[AlignmentItem]]:
    """Endless batches of about `seconds` of audio, of similar length within a batch."""
    random = Random(seed)
    live = [pool for pool in pools if pool.items]
    while True:
        drawn: list[AlignmentItem] = []
        while sum(item.example.seconds for item in drawn) < seconds * chunk:
            pool = random.choices(live, [pool.share for pool in live])[0]
            drawn.append(random.choice(pool.items))
        drawn.sort(key=lambda item: item.example.seconds)
        batches: list[list[AlignmentItem]] = [[]]
        for item in drawn:
            if item.example.seconds * (len(batches[-1]) + 1) > seconds and batches[-1]:
                batches.append([])
            batches[-1].append(item)
        random.shuffle(batches)
        yield from batches


def collate(
    cache: FeatureCache, model: USAM, items: Sequence[AlignmentItem], longest: int | None = None
) -> AlignmentBatch:
    """Frames, masks and questions of the items; clips without a transcript are cut to `longest` frames."""
    frames = [cache.frames(item.example, model.adapter.config.encoder_names) for item in items]
    frames = [
        clip if item.sequence else crop(clip, longest) for clip, item in zip(frames, items, strict=True)
    ]
    mask = pad_sequence([torch.ones(len(clip), dtype=torch.bool) for clip in frames], batch_first=True)
    asked = {"speech": "asr", "sound": "aac", "music": "mc"}
    # The router reads the task from the prompt, but has to hear the kind of audio itself: half ask the same.
    texts = [
        TASKS["qa" if index % 2 else asked[item.example.kind]].prompt for index, item in enumerate(items)
    ]
    questions = [torch.tensor(model.prompts.ids(text)) for text in texts]
    return AlignmentBatch(pad_sequence(frames, batch_first=True), mask, items, questions)


def crop(frames: Tensor, longest: int | None) -> Tensor:
    """A random span of at most `longest` frames of one clip [T, D]."""
    if longest is None or len(frames) <= longest:
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


def alignment_losses(model: USAM, batch: AlignmentBatch, step: int, saclm_from: int) -> dict[str, Tensor]:
    """All losses of one batch; "loss" is their weighted sum."""
    with torch.autocast("cpu", torch.bfloat16):
        audio = model.embed_audio(spec_augment(batch.frames), batch.mask, batch.questions)
    assert audio.logits is not None
    log_probs = audio.logits.float().log_softmax(-1)
    speech = torch.tensor([item.sequence for item in batch.items])
    parts: dict[str, Tensor] = {}
    loss = log_probs.new_zeros(())
    if speech.any():
        parts["ctc"] = ctc(
            log_probs[speech], audio.mask[speech], [i.words for i in batch.items if i.sequence]
        )
        loss = loss + parts["ctc"]
    if (~speech).any():
        words = torch.stack([item.words for item in batch.items if not item.sequence])
        parts["words"] = bag_of_words(log_probs[~speech], audio.mask[~speech], words)
        loss = loss + WORDS_WEIGHT * parts["words"]
    parts["domain"] = domain(audio, [item.example.kind for item in batch.items])
    loss = loss + DOMAIN_WEIGHT * parts["domain"]
    if step >= saclm_from:
        texts = [target_text(model, item) for item in batch.items]
        parts["saclm"] = saclm(model, audio, texts)
        parts["blank"] = blank(model, audio, log_probs, texts)
        loss = loss + SACLM_WEIGHT * parts["saclm"] + BLANK_WEIGHT * parts["blank"]
    return {"loss": loss, **parts}


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


def bag_of_words(log_probs: Tensor, mask: Tensor, words: Tensor) -> Tensor:
    """Cross-entropy of the clip's mean distribution over tokens against its words' [B, V + 1]."""
    pooled = masked_mean(log_probs.exp(), mask).clamp_min(1e-8)
    return -(words * pooled.log()).sum(-1).mean()


def domain(audio: AudioTokens, kinds: Sequence[str]) -> Tensor:
    """The router's light tie: a clip's mean routing against the expert of its kind."""
    index = torch.tensor([KINDS.index(kind) for kind in kinds]) % audio.routing.shape[-1]
    return F.nll_loss(masked_mean(audio.routing, audio.mask).clamp_min(1e-6).log(), index)


def target_text(model: USAM, item: AlignmentItem) -> Tensor:
    """Token ids of what the clip says or is, the text that supervises SACLM."""
    ids = model.adapter.anchor.token_ids  # type: ignore[union-attr]
    words = item.words if item.sequence else item.words[:-1].nonzero()[:, 0]
    return ids[words] if len(words) else ids[:1]


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
        audio = model.embed_audio(spec_augment(batch.frames), batch.mask, batch.questions)
    assert audio.logits is not None
    loss = ctc(audio.logits.float().log_softmax(-1), audio.mask, [item.words for item in batch.items])
    return {"loss": loss}


def run_direct(
    model: USAM, cache: FeatureCache, pools: Sequence[Pool], budget: Budget, folder: Path, seed: int = 0
) -> None:
    """A few minutes of CTC on speech with the Q-Former's layers left out.

    Everything at once from random weights stays on the plateau where every token is blank.
    """
    torch.manual_seed(seed)
    model.train()
    model.llm.requires_grad_(False)
    model.adapter.qformer.direct = True
    spoken = [Pool([item for item in pool.items if item.sequence], pool.share) for pool in pools]
    groups = [{"params": list(model.adapter.parameters()), "lr": 1e-3}]
    batches = prefetch(draw(spoken, 24.0, seed), partial(collate, cache, model))
    train(model.adapter, groups, batches, partial(direct_losses, model), budget, folder)
    model.adapter.qformer.direct = False


def run_alignment(
    model: USAM, cache: FeatureCache, pools: Sequence[Pool], budget: Budget, folder: Path, seed: int = 0
) -> None:
    """Train the adapter's whole path from frames to words. SACLM joins once tokens mean something."""
    torch.manual_seed(seed)
    model.train()
    model.llm.requires_grad_(False)
    layers = list(model.adapter.qformer.layers.parameters())
    others = [p for p in model.adapter.parameters() if all(p is not layer for layer in layers)]
    groups = [{"params": others, "lr": 8e-4}, {"params": layers, "lr": 2.5e-4}]
    batches = prefetch(draw(pools, 32.0, seed), partial(collate, cache, model))
    train(model.adapter, groups, batches, partial(alignment_losses, model, saclm_from=1500), budget, folder)
