"""A linear probe: what one linear layer reads from the mean-pooled frozen frames, nothing else trained."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from usam.audio.samples import SAMPLE_RATE
from usam.data.corpus import Example, read_corpus
from usam.data.frame_cache import clip_key, encoder_fingerprint, file_digest
from usam.data.splits import split
from usam.encoders import Encoder
from usam.evaluation.answering import Report
from usam.evaluation.clips import TestSet, sample
from usam.evaluation.metrics import Figure, share
from usam.schema.segments import KINDS

CLIPS_A_KIND = 400
WEIGHT_DECAY = 1e-3
STEPS = 100
SAVE_EVERY = 100  # clips


def probe(
    encoders: Sequence[Encoder],
    clips: TestSet,
    data: Path,
    heldout: Collection[str],
    work: Path,
    report: Report,
) -> dict[str, Figure]:
    """Kind of audio by logistic regression fitted on training clips, equally many of each kind.

    Their pooled frames are kept in `work`.
    """
    training, _ = split(read_corpus(data), heldout)
    chosen = [e for kind in KINDS for e in sample([e for e in training if e.kind == kind], CLIPS_A_KIND)]
    pooled = pooled_frames(encoders, chosen, work / "pooled.safetensors", report)
    classify = fit(pooled, torch.tensor([KINDS.index(example.kind) for example in chosen]))
    tested = torch.stack([pool([e.frames(clip.waveform) for e in encoders]) for clip in clips.single])
    predicted = [{KINDS[index]} for index in classify(tested).tolist()]
    hits = [(clip.kinds, clip.kinds == kinds) for clip, kinds in zip(clips.single, predicted, strict=True)]
    figures = {"kind told": share([hit for _, hit in hits])}
    for kind in KINDS:
        of_kind = [hit for kinds, hit in hits if kinds == {kind}]
        if of_kind:
            figures[f"kind told, {kind}"] = share(of_kind)
    return figures


def pool(streams: Sequence[Tensor]) -> Tensor:
    """Frames [T_i, D_i] of the encoders -> their means over time, side by side [sum of D_i]."""
    return torch.cat([stream.float().mean(0) for stream in streams])


def pooled_frames(
    encoders: Sequence[Encoder],
    examples: Sequence[Example],
    file: Path,
    report: Report,
    pooling: Callable[[Sequence[Tensor]], Tensor] = pool,
    longest: float | None = None,
) -> Tensor:
    """Pooled frames [N, D] of clips, or of their first `longest` seconds.

    What `file` does not hold yet of these clips, by their content, and these encoders is computed and added.
    Raises AudioError or OSError for a clip that cannot be read.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    known = load_file(file) if file.exists() else {}
    made_by = f"{encoder_fingerprint(encoders)} {pooling.__name__} {longest}"
    keys = [clip_key(file_digest(example.path), example, made_by) for example in examples]
    missing = {key: example for key, example in zip(keys, examples, strict=True) if key not in known}
    end = None if longest is None else round(longest * SAMPLE_RATE)
    for index, (key, example) in enumerate(missing.items(), 1):
        waveform = example.waveform()[:end]
        with torch.inference_mode():
            known[key] = pooling([encoder.frames(waveform) for encoder in encoders])
        if index % SAVE_EVERY == 0 or index == len(missing):
            save_file(known, file)
            report(f"pooled {index} of {len(missing)} clips")
    return torch.stack([known[key] for key in keys])


class Probe(nn.Module):
    """Standardises features [N, D] by those it was fitted on, and tells classes [N]."""

    def __init__(self, features: Tensor, classes: int) -> None:
        super().__init__()
        self.centre, self.spread = features.mean(0), features.std(0).clamp_min(1e-6)
        self.linear = nn.Linear(features.shape[1], classes)

    def logits(self, features: Tensor) -> Tensor:
        return self.linear((features - self.centre) / self.spread)

    @torch.no_grad()
    def forward(self, features: Tensor) -> Tensor:
        return self.logits(features).argmax(-1)


def fit(features: Tensor, classes: Tensor) -> Probe:
    """Multinomial logistic regression with an L2 penalty, by L-BFGS from zero: nothing is drawn."""
    fitted = Probe(features, int(classes.max()) + 1)
    nn.init.zeros_(fitted.linear.weight)
    nn.init.zeros_(fitted.linear.bias)
    optimizer = torch.optim.LBFGS(fitted.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        penalty = WEIGHT_DECAY * fitted.linear.weight.square().sum()
        value = F.cross_entropy(fitted.logits(features), classes) + penalty
        value.backward()
        return value

    optimizer.step(loss)
    return fitted
