"""How far the frozen encoders alone tell speech, sound and music, by how much a classifier is shown.

    python -m usam.evaluation.baselines.encoder_classifier --data DATA --packages /usr/share --work work

The model hears through these encoders. If a linear and a deeper classifier over their frames stop at the same
share of right answers, and more and other clips do not move it, what is missing is not in the frames, or the
label says what a clip is used for rather than how it sounds: `--missed` lists the clips all of them miss.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from usam.audio.clip import MIN_SECONDS
from usam.data.corpus import Example, read_corpus
from usam.data.debian_packages import read_stamps
from usam.data.debian_sounds import read_packages
from usam.data.splits import read_heldout, split
from usam.evaluation.baselines.linear_probe import pooled_frames
from usam.evaluation.clips import sample
from usam.evaluation.metrics import Figure, share
from usam.model.loading import frozen_encoders
from usam.model.pretrained import fetch
from usam.schema.segments import KINDS

SPEECH = 600  # clips of it to learn from, and a third to be asked about: it is told apart easily
LONGEST = 10.0  # seconds of a clip
HIDDEN = (0, 256)
EPOCHS = 25
SEEDS = 2


def statistics(streams: Sequence[Tensor]) -> Tensor:
    """Frames [T_i, D_i] of the encoders -> mean, deviation and peak over time of each [3 * sum of D_i]."""
    return torch.cat(
        [
            part
            for stream in (s.float() for s in streams)
            for part in (stream.mean(0), stream.std(0, unbiased=False), stream.amax(0))
        ]
    )


def classify(features: Tensor, classes: Tensor, asked: Tensor, hidden: int, seed: int) -> Tensor:
    """Probabilities [M, K] of `asked` [M, D] by a classifier fitted on features [N, D], kinds weighed alike.

    `hidden` 0 is linear; otherwise one hidden layer of that size. Dropout and weight decay keep it from
    learning clips by heart.
    """
    torch.manual_seed(seed)
    centre, spread = features.mean(0), features.std(0).clamp_min(1e-4)
    features, asked = (((x - centre) / spread).clamp(-6, 6) for x in (features, asked))
    counts = torch.bincount(classes, minlength=len(KINDS)).float()
    weights = counts.sum() / counts.clamp_min(1) / len(KINDS)
    size = features.shape[1]
    layers = [nn.Dropout(0.3), nn.Linear(size, hidden), nn.GELU()] if hidden else []
    model = nn.Sequential(*layers, nn.Dropout(0.5), nn.Linear(hidden or size, len(KINDS)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 1 / EPOCHS, EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(classes)).split(128):
            optimizer.zero_grad()
            F.cross_entropy(model(features[batch]), classes[batch], weight=weights).backward()
            optimizer.step()
        schedule.step()
    with torch.no_grad():
        predicted: Tensor = model.eval()(asked).softmax(-1)
    return predicted


def figures(predicted: Tensor, truth: Tensor) -> dict[str, Figure]:
    """Share of right answers of each kind, and the mean of the kinds as `kind told`."""
    right = predicted.argmax(-1) == truth
    found = {kind: share(right[truth == index].tolist()) for index, kind in enumerate(KINDS)}
    return found | {"kind told": {"value": sum(f["value"] for f in found.values()) / len(KINDS)}}


def row(name: str, found: Mapping[str, Figure]) -> str:
    return f"| {name} | " + " | ".join(f"{found[kind]['value']:.3f}" for kind in ("kind told", *KINDS)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--packages", type=Path, required=True, help="/usr/share, as for training")
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips' statistics")
    parser.add_argument("--heldout", type=Path, help="file of further held-out clip names, one a line")
    parser.add_argument("--missed", action="store_true", help="list what every classifier gets wrong")
    options = parser.parse_args()
    train, heldout = split(read_corpus(options.data), read_heldout(options.heldout))
    corpus = thinned(train, SPEECH)
    asked = thinned(heldout, SPEECH // 3)
    further = read_packages(options.packages)
    if (options.packages / "tuxpaint").is_dir():
        further += [clip for clip in read_stamps(options.packages) if clip.kind != "speech"]
    further = [clip for clip in further if clip.seconds > MIN_SECONDS]
    encoders = frozen_encoders(fetch().encoders)
    file = options.work / "kinds.safetensors"
    pooled = pooled_frames(encoders, [*corpus, *further, *asked], file, print, statistics, LONGEST)
    shown, others, held = pooled.split([len(corpus), len(further), len(asked)])
    truth = kinds_of(asked)
    print("| learned from | kind told | speech | sound | music |\n|---|---|---|---|---|")
    missed: Counter[int] = Counter()
    for name, features, clips in (
        ("the corpus", shown, corpus),
        ("and the packages", torch.cat([shown, others]), [*corpus, *further]),
    ):
        for hidden in HIDDEN:
            runs = [classify(features, kinds_of(clips), held, hidden, seed) for seed in range(SEEDS)]
            predicted = torch.stack(runs).mean(0)
            sort = f"{hidden} hidden units" if hidden else "linear"
            print(row(f"{name}, {len(clips)} clips, {sort}", figures(predicted, truth)))
            missed.update((predicted.argmax(-1) != truth).nonzero().flatten().tolist())
    if options.missed:
        labels = Counter(
            (asked[index].kind, asked[index].source, asked[index].label)
            for index, times in missed.items()
            if times == 2 * len(HIDDEN)
        )
        for (kind, source, label), count in labels.most_common():
            print(f"{count} {kind} {source}: {label}")


def thinned(examples: Sequence[Example], most: int) -> list[Example]:
    """Every sound and piece of music, and at most so many clips of speech."""
    spoken = [example for example in examples if example.kind == "speech"]
    return [example for example in examples if example.kind != "speech"] + sample(spoken, most)


def kinds_of(clips: Sequence[Example]) -> Tensor:
    return torch.tensor([KINDS.index(clip.kind) for clip in clips])


if __name__ == "__main__":
    main()
