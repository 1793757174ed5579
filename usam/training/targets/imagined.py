"""Imagined sounds: frames that YAMNet's head calls by a class which no clip at hand belongs to.

The head's weights map frames to 521 names, far more than any small corpus has clips of. For each name, real
frames that come nearest are moved until the head says it; the adapter learns the name from them. Only the
audio encoder's frames are imagined: the other two streams are those of the clip the frames were taken from.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from usam.audio.samples import SAMPLE_RATE
from usam.data.corpus import IMAGINED, Example
from usam.data.frame_cache import FrameCache
from usam.encoders import YAMNet
from usam.encoders.base import placement
from usam.schema.segments import Kind
from usam.training.targets.pseudo_labels import SoundTeacher, short_name

FRAMES = 8  # of YAMNet, 2.6 s
DONORS = 400  # clips of each kind that are moved from
STEPS, RATE, NEARNESS = 40, 0.05, 0.3
STREAMS = ("whisper-base", "yamnet", "musicnn")
_SPEECH = range(0, 13)
_MUSIC = (range(24, 32), range(132, 195), range(203, 210), range(211, 277))


def kind_of(index: int) -> Kind | None:
    """The kind of audio of a class of YAMNet's map; None for speech, which has words instead of a name."""
    if index in _SPEECH:
        return None
    return "music" if any(index in group for group in _MUSIC) else "sound"


def imagine(
    teacher: SoundTeacher, cache: FrameCache, donors: Sequence[Example], each: int, seed: int = 0
) -> Iterator[Example]:
    """Yield `each` imagined clips of every class worth naming, their frames in the cache."""
    random = Random(seed)
    long = [e for e in donors if e.seconds * YAMNet.frame_rate >= FRAMES + 1]
    pools = {
        kind: _streams(cache, [e for e in long if e.kind == kind], random) for kind in ("sound", "music")
    }
    for index, name in enumerate(teacher.yamnet.classes):
        kind = kind_of(index)
        if kind is None or teacher.vague[index] or not pools[kind]:
            continue
        examples = [
            _example(cache.folder / IMAGINED / f"{index:03d}_{take}", name, kind) for take in range(each)
        ]
        if not all(cache.has(example) for example in examples):
            _write(cache, examples, teacher.yamnet, index, pools[kind])
        yield from filter(cache.has, examples)


def _streams(cache: FrameCache, donors: Sequence[Example], random: Random) -> list[dict[str, Tensor]]:
    """The beginnings of some clips' streams, each FRAMES of the audio encoder long."""
    chosen = random.sample(list(donors), min(DONORS, len(donors)))
    return [_cut(cache.streams(donor)) for donor in chosen]


def _cut(streams: dict[str, Tensor]) -> dict[str, Tensor]:
    """The first FRAMES of the audio encoder, and as many seconds of the other two; rates in Hz stay."""
    seconds = FRAMES / YAMNet.frame_rate
    names = [name for name in streams if name not in ("rates", "samples")]
    ordered = sorted(names, key=STREAMS.index)
    cut = {
        name: streams[name][: round(seconds * rate)].contiguous()
        for name, rate in zip(ordered, streams["rates"].tolist(), strict=True)
    }
    return {**cut, "rates": streams["rates"], "samples": torch.tensor([int(seconds * SAMPLE_RATE)])}


def _example(path: Path, name: str, kind: Kind) -> Example:
    seconds = FRAMES / YAMNet.frame_rate
    return Example(path, seconds, kind, None, short_name(name), f"{IMAGINED}:{name}", IMAGINED, "", "")


def _write(
    cache: FrameCache,
    examples: Sequence[Example],
    yamnet: YAMNet,
    index: int,
    donors: Sequence[dict[str, Tensor]],
) -> None:
    """Store, for each example, a donor the head already takes much for the class, its frames moved to it."""
    frames = torch.stack([donor[yamnet.name].float() for donor in donors]).to(placement(yamnet)[0])
    nearness = yamnet.classifier(frames)[..., index].mean(-1)
    nearest = nearness.topk(min(len(examples), len(donors))).indices.tolist()
    imagined = moved(yamnet, frames[nearest], index).half().cpu()
    for example, donor, heard in zip(examples, nearest, imagined, strict=False):
        file = cache.file(example)
        file.parent.mkdir(exist_ok=True)
        save_file({**donors[donor], yamnet.name: heard.contiguous()}, file)


def moved(yamnet: YAMNet, frames: Tensor, index: int) -> Tensor:
    """Frames [N, T, 1024], not negative, near the given ones, whose likeliest class is `index`."""
    x = frames.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=RATE)
    target = torch.full((x.shape[0] * x.shape[1],), index, device=x.device)
    scale = frames.square().mean().clamp_min(1e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        logits = yamnet.classifier(x.relu()).flatten(0, 1)
        loss = F.cross_entropy(logits, target) + NEARNESS * (x - frames).square().mean() / scale
        loss.backward()
        optimizer.step()
    return x.detach().relu()
