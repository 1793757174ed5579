"""`python -m usam train`: from labelled clips to an adapter folder, in two resumable stages.

Everything made on the way (frames, teacher's transcripts, checkpoints, logs) is kept in a work folder,
so that a second call continues where the first was cut.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from usam.adapter.adapter import USAMAdapter
from usam.config import USAMConfig
from usam.data.corpus import Example, read_corpus
from usam.data.frame_cache import FrameCache
from usam.data.instructions import Instructor
from usam.data.splits import split
from usam.encoders import YAMNet
from usam.encoders.heads.name_words import label_words
from usam.encoders.registry import by_role
from usam.encoders.whisper_decoder import load_transcriber
from usam.errors import RequestError
from usam.llm.loading import load_llm
from usam.model.loading import frozen_encoders
from usam.model.model import USAM
from usam.model.pretrained import fetch
from usam.schema.segments import Kind
from usam.training.dataset import LONGEST, Data, Sources, alignment_items, gather, make_pools, make_targets
from usam.training.execution import Execution, processes, write_settings
from usam.training.lora import add_llm_lora, add_speech_lora
from usam.training.stages.alignment import run_alignment, run_direct
from usam.training.stages.batches import AlignmentItem, Collator
from usam.training.stages.instruction_tuning import run_instruction_tuning
from usam.training.stages.token_stage import run_token_stage
from usam.training.targets.imagined import imagine
from usam.training.targets.pseudo_labels import SoundTeacher, transcribe_all
from usam.training.targets.word_targets import Targets, WordPieces
from usam.training.trainer import Budget
from usam.training.warm_start import start_from

ALIGN_SHARES = {
    "speech": 0.3, "synthesis": 0.24, "joined": 0.05, "sound": 0.12, "music": 0.07, "rendered": 0.04,
    "drumkits": 0.03, "songs": 0.02, "imagined": 0.05, "silence": 0.02, "mixture": 0.08,
}  # fmt: skip
INSTRUCT_SHARES = {
    "speech": 0.22, "synthesis": 0.04, "joined": 0.05, "sound": 0.32, "music": 0.16, "rendered": 0.04,
    "drumkits": 0.03, "songs": 0.02, "imagined": 0.05, "silence": 0.02, "mixture": 0.05,
}  # fmt: skip
IMAGINED = 4  # clips of each class
STATISTICS_CLIPS = 400
# The sound and music channels are many and vary slowly: at full scale their gradients drown the speech path.
SLOW_CHANNELS_SCALE = 8.0


@dataclass(frozen=True)
class TrainingOptions:
    """What to train on and for how long; `heldout` names clips kept out beyond the public split."""

    corpus: Path
    work: Path
    output: Path
    synthesis: Path | None = None
    packages: Path | None = None
    rendered: Path | None = None
    heldout: Sequence[str] = ()
    start: Path | None = None  # a checkpoint to go on from
    direct: Budget = Budget(minutes=3)
    tokens: Budget = Budget(minutes=2)
    align: Budget = Budget(minutes=30)
    instruct: Budget = Budget(minutes=60)
    teacher: bool = True
    derived: bool = True
    seed: int = 0
    preset: str = "mini"
    execution: Execution = Execution()
    run: str = ""  # runs of other names share the work folder's frames, and nothing else
    saclm: bool = True
    ablate: Callable[[USAMAdapter], None] = lambda adapter: None  # takes a part out for an ablation run

    @property
    def stages(self) -> Path:
        """The folder of this run's checkpoints and logs."""
        return self.work / self.run


@dataclass(frozen=True)
class Prepared:
    """All that both stages need."""

    data: Data
    items: Sequence[AlignmentItem]
    collate: Collator
    pieces: WordPieces
    model: USAM


def run_training(options: TrainingOptions, report: Callable[[str], None] = print) -> None:
    """Prepare, align, instruct, and write the adapter to `options.output`. Raises UsamError.

    Of processes that train together the first prepares, reports and writes.
    """
    if not processes().is_main_process:
        report = without_words
    with processes().main_process_first():
        prepared = prepare(options, report)
    report(f"stage 1, alignment: {len(prepared.items)} clips")
    model, collate = prepared.model, prepared.collate
    pools = make_pools(prepared.items, ALIGN_SHARES)
    started = options.start is not None
    if not started:
        run_direct(
            model, collate, pools, options.direct, options.stages / "direct", options.seed, options.execution
        )
    run_token_stage(
        model, collate, pools, options.tokens, options.stages / "tokens", options.seed, options.execution
    )
    run_alignment(
        model,
        collate,
        pools,
        options.align,
        options.stages / "align",
        options.seed,
        started,
        options.saclm,
        options.execution,
    )
    instruct(prepared, options, report)
    if processes().is_main_process:
        write_checkpoint(model, options.output)
        write_settings(options.output, "train", options)
    report(f"written to {options.output}")


def without_words(message: str) -> None:
    """The report of a process that is not the first."""


def prepare(options: TrainingOptions, report: Callable[[str], None] = print) -> Prepared:
    """Read the data, compute the frames that are missing, and build an untrained model."""
    options.work.mkdir(parents=True, exist_ok=True)
    config = USAMConfig.from_preset(options.preset)
    paths = fetch(config, lambda message, share: report(message))
    encoders = frozen_encoders(paths.encoders, config)
    transcripts = {}
    if options.teacher:
        untranscribed = [e for e in gather_corpus(options) if e.kind == "speech" and e.transcript is None]
        transcripts = transcribe_all(
            untranscribed,
            load_transcriber(paths.encoders[by_role(encoders, "speech").name]),
            options.work / "transcripts.json",
            report,
        )
    data = gather(sources(options), options.work, transcripts, options.heldout)
    cache = FrameCache(options.work / "features", encoders)
    ready = build_frames(cache, data.train, report)
    if not ready:
        raise RequestError("There is no clip to train on in the data folder.")
    llm, tokenizer = load_llm(paths.llm)
    pieces = WordPieces(tokenizer)
    yamnet = by_role(encoders, "audio")
    if not isinstance(yamnet, YAMNet):
        raise RequestError("This training learns the names of sounds from YAMNet, which the preset lacks.")
    adapter = initial_adapter(options, pieces, ready, cache, yamnet)
    options.ablate(adapter)
    assert adapter.anchor is not None
    targets = Targets(pieces, adapter.anchor.token_ids.tolist())
    teacher = SoundTeacher(yamnet, targets)
    donors = [e for e in ready if e.kind != "speech" and e.source != "silence"]
    ready += imagine(teacher, cache, donors, IMAGINED, options.seed)
    items = alignment_items(ready, targets, cache, teacher, adapter.config.frames_per_token, report)
    model = USAM(adapter, llm, tokenizer, encoders)
    model.encoders.requires_grad_(False)
    add_speech_lora(model, options.start)
    model.to(processes().device)
    return Prepared(data, items, Collator(cache, model, targets, teacher), pieces, model)


def sources(options: TrainingOptions) -> Sources:
    return Sources(options.corpus, options.synthesis, options.packages, options.rendered, options.derived)


def gather_corpus(options: TrainingOptions) -> Sequence[Example]:
    """The recorded training clips alone, before anything is filled in or mixed."""
    train, _ = split(read_corpus(options.corpus), options.heldout)
    return [example for example in train if example.seconds <= LONGEST]


def build_frames(
    cache: FrameCache,
    examples: Sequence[Example],
    report: Callable[[str], None],
) -> list[Example]:
    """The examples whose frames are in the cache, after computing those that are not."""
    ready = []
    for index, example in enumerate(cache.build(examples), 1):
        ready.append(example)
        if index % 1000 == 0:
            report(f"frames of {index} of {len(examples)} clips")
    return ready


def initial_adapter(
    options: TrainingOptions,
    pieces: WordPieces,
    examples: Sequence[Example],
    cache: FrameCache,
    yamnet: YAMNet,
) -> USAMAdapter:
    """The untrained adapter of this work folder, with the anchor's vocabulary and the frames' statistics.

    Made once and kept: a resumed run must not see other classes because data was added.
    """
    folder = options.stages / "initial"
    if (folder / "config.json").exists():
        return USAMAdapter.from_pretrained(folder)
    targets = make_targets(pieces, examples, yamnet)
    torch.manual_seed(options.seed)
    if options.start is not None:
        adapter = start_from(options.start, targets.token_ids)
        adapter.save_pretrained(folder)
        return adapter
    sizes = USAMConfig.from_preset(options.preset).to_dict()
    adapter = USAMAdapter(USAMConfig(**sizes | {"anchor_tokens": len(targets.token_ids)}))
    assert adapter.anchor is not None
    adapter.anchor.token_ids.copy_(torch.tensor(targets.token_ids))
    chosen = random.Random(options.seed).sample(list(examples), min(STATISTICS_CLIPS, len(examples)))
    mean, std = frame_statistics(cache.frames(e, adapter.config.encoder_names) for e in chosen)
    adapter.qformer.frame_mean.copy_(mean)
    slow = torch.ones_like(std, dtype=torch.bool)
    slow[adapter.config.channels("speech")] = False
    std[slow] *= SLOW_CHANNELS_SCALE
    adapter.qformer.frame_std.copy_(std)
    adapter.save_pretrained(folder)
    return adapter


def frame_statistics(clips: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation [D] over the frames of clips [T, D]."""
    total, squares, count = torch.zeros(1), torch.zeros(1), 0
    for clip in clips:
        total = total + clip.sum(0)
        squares = squares + clip.square().sum(0)
        count += len(clip)
    mean = total / count
    return mean, (squares / count - mean.square()).clamp_min(1e-6).sqrt().clamp_min(1e-2)


def instruct(prepared: Prepared, options: TrainingOptions, report: Callable[[str], None]) -> None:
    """Stage 2 on top of an aligned model."""
    report("stage 2, instructions")
    labels: dict[Kind, set[str]] = {"sound": set(), "music": set()}
    for example in prepared.data.train:
        if example.kind in labels and label_words(example.label or ""):
            labels[example.kind].add((example.label or "").lower())
    add_llm_lora(prepared.model, options.start, options.execution)
    run_instruction_tuning(
        prepared.model,
        prepared.collate,
        make_pools(prepared.items, INSTRUCT_SHARES),
        Instructor({kind: sorted(found) for kind, found in labels.items()}),
        prepared.pieces,
        options.instruct,
        options.stages / "instruct",
        options.seed,
        options.start is not None,
        options.saclm,
        execution=options.execution,
    )


def write_checkpoint(model: USAM, folder: Path) -> None:
    """Write the checkpoint in bfloat16, the precision the answers are computed in."""
    model.save_pretrained(folder)
    in_half_the_bytes(folder)


def in_half_the_bytes(folder: Path) -> None:
    """Keep all weights of a folder in bfloat16."""
    for file in folder.rglob("*.safetensors"):
        tensors = {
            name: tensor.bfloat16() if tensor.is_floating_point() else tensor
            for name, tensor in load_file(file).items()
        }
        save_file(tensors, file, metadata={"format": "pt"})
