"""`python -m usam train-words`: a trained checkpoint learns to read the specialists' words."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import cast

import torch
from torch import nn

from usam.adapter.adapter import USAMAdapter
from usam.adapter.speaker import SPEAKERS
from usam.checkpoints.fingerprint import fingerprint
from usam.checkpoints.layout import ROUTING, SPEECH_LORA
from usam.config import USAMConfig
from usam.data.corpus import Example, read_corpus
from usam.data.debian_sounds import read_packages
from usam.data.derived.mixtures import write_mixtures
from usam.data.derived.silence import write_silence
from usam.data.multilingual import read_texts
from usam.data.scenes import Scene, joined
from usam.data.scenes.heard_clips import HeardClip, HeardClips, scene, unread
from usam.data.scenes.imagination import Imagination, Material
from usam.data.scenes.questions import Names, SceneInstructor
from usam.data.splits import split
from usam.data.synthetic.sentences import Sentences
from usam.encoders.base import Encoder, SoundClassifier
from usam.encoders.heads.sound_classes import VAGUE, plain_name
from usam.encoders.heads.sound_names import names_heard
from usam.encoders.registry import by_role, load_word_streams
from usam.errors import RequestError
from usam.llm.loading import load_llm
from usam.llm.text_space import TextSpace
from usam.model.loading import frozen_encoders, load_adapter
from usam.model.model import USAM
from usam.model.pretrained import fetch
from usam.presets import PRESETS
from usam.schema.segments import KINDS, Kind
from usam.training.execution import Execution, processes, write_settings
from usam.training.head_fitting import even_blanks, fit_heads, fit_kinds, hear_looks
from usam.training.lora import add_llm_lora
from usam.training.pipeline import in_half_the_bytes, without_words, write_checkpoint
from usam.training.stages.speaker import fit_speaker_head
from usam.training.stages.word_reading import run_word_reading
from usam.training.trainer import Budget
from usam.training.transfer import transfer

MIXED, SILENT = "mixed", "silent"
REAL_SHARE = 0.6  # of the scenes; the rest are imagined
ROW_SHARE = 0.4  # of the real scenes: two or three clips one after the other
BY_LABEL = 0.6  # share of sounds and music drawn by their label first, so that no label is rare
SHARES = {"speech": 3.5, "sound": 4.0, "music": 4.0, MIXED: 5.0, SILENT: 0.7}  # of the real scenes
UNREAD_EVERY = 5  # clips of speech: one of them is read without the specialist's words too
LONGEST = 16.0  # seconds of a clip
SPEECH_CLIPS = 2_000
MIXTURES, SILENCES = 1_400, 100
COMMON = 4_000  # sentences with words to ask about that are not said


@dataclass(frozen=True)
class WordsOptions:
    """A checkpoint to go on from, labelled clips, and for how long; `packages` is /usr/share, for texts.

    preset: whose language model is to read, if another than the checkpoint's.
    """

    corpus: Path
    start: Path
    work: Path
    output: Path
    packages: Path | None = None
    preset: str | None = None
    heldout: Sequence[str] = ()
    budget: Budget = Budget(minutes=60)
    seed: int = 0
    execution: Execution = Execution()


@dataclass(frozen=True)
class HeadsOptions:
    """A checkpoint whose heads are fitted anew, and labelled clips; `packages` is /usr/share, for sounds.

    mixtures: how many clips of two kinds of audio are made.
    """

    corpus: Path
    start: Path
    work: Path
    output: Path
    packages: Path | None = None
    mixtures: int = 5_000
    heldout: Sequence[str] = ()
    seed: int = 0


def run_head_fitting(options: HeadsOptions, report: Callable[[str], None] = print) -> None:
    """Fit the heads that tell kinds and names, and how low the blank is at each place of a window, and write
    the checkpoint, the rest of which stays as it is.

    Raises UsamError.
    """
    model = with_words(options.start, report)
    model.eval()
    examples = training_clips(options)
    even_blanks(model, examples, report)
    examples += write_mixtures(options.work / "mixtures", examples, options.mixtures, options.seed)
    if options.packages is not None:
        examples += read_packages(options.packages)
    fit_heads(model, examples, options.work / "looks.pt", report, options.seed)
    measured = shutil.ignore_patterns("evaluation.*", ROUTING)  # of the parent
    shutil.copytree(options.start, options.output, ignore=measured, dirs_exist_ok=True)
    model.adapter.save_pretrained(options.output)
    in_half_the_bytes(options.output)
    report(f"written to {options.output}")


def run_words_training(options: WordsOptions, report: Callable[[str], None] = print) -> None:
    """Fit the kind head, hear every clip, fit the speaker head, train the reading, write the checkpoint.

    Raises UsamError.
    """
    first = processes().is_main_process
    report = report if first else without_words
    with processes().main_process_first():
        model = with_words(options.start, report).to(processes().device)
        other = options.preset if options.preset != model.adapter.config.preset else None
        clips = heard(model, options, report)
    head = model.adapter.speaker
    assert head is not None
    known = [clip for clip in clips if clip.voice is not None and clip.example.speaker in SPEAKERS]
    if known:
        voices = torch.stack([clip.voice for clip in known if clip.voice is not None])
        right = fit_speaker_head(
            head, voices, torch.tensor([SPEAKERS.index(str(clip.example.speaker)) for clip in known])
        )
        report(f"speaker head: {right:.3f} of {len(known)} clips")
    head.requires_grad_(False)
    found = [(clip.example.transcript, one) for clip in clips if (one := scene(clip, head))]
    real = RealScenes([*(one for _, one in found), *read_without_words(found)], model)
    if not real.scenes:
        raise RequestError("There is no clip to train on in the data folder.")
    texts = read_texts(options.packages or Path())
    texts["English"] = english(options.seed) + texts.get("English", [])
    audio = by_role(model.encoders, "audio")  # type: ignore[arg-type]
    if not isinstance(audio, SoundClassifier):
        raise RequestError("This training asks about AudioSet's classes, which no encoder here names.")
    sounds, instruments = class_names(audio.classes)
    labels = real.labels("sound"), real.labels("music")
    sounds, instruments = sounds + labels[0], instruments + labels[1]
    material = Material(texts, sounds, instruments, confusions(clips))
    config = model.adapter.config
    imagined = Imagination(material, config.token_seconds, config.background_kinds, config.kind_head)

    def draw(random: Random) -> Scene:
        return real.draw(random) if random.random() < REAL_SHARE else imagined.draw(random)

    if other is not None:
        with processes().main_process_first():
            model = for_preset(model, other, clips, options, report)
    index = processes().process_index
    random = Random(f"{options.seed} in process {index}" if index else options.seed)
    common = [word.strip(".,?!").lower() for text in texts["English"][:COMMON] for word in text.split()]
    words = [word for word in common if len(word) > 3 and word.isalpha()]
    model.to(processes().device)
    add_llm_lora(model, options.start if other is None else None, options.execution)
    run_word_reading(
        model,
        draw,
        SceneInstructor(Names(sounds, instruments, words, *labels)),
        options.budget,
        options.work / "words",
        random,
        execution=options.execution,
    )
    if first:
        write_checkpoint(model, options.output)
        write_settings(options.output, "train-words", options)
    report(f"written to {options.output}")


def with_words(checkpoint: Path, report: Callable[[str], None]) -> USAM:
    """The checkpoint's model with untrained gates for the words of its encoders' heads, and an unfitted kind
    head, where it has none. Raises UsamError."""
    trained = load_adapter(checkpoint)
    paths = fetch(trained.config, lambda message, share: report(message))
    encoders = frozen_encoders(paths.encoders, trained.config, checkpoint / SPEECH_LORA)
    trained.config.words = trained.config.background_kinds = trained.config.kind_head = True
    adapter = USAMAdapter(trained.config)
    adapter.load_state_dict(trained.state_dict(), strict=False)
    llm, tokenizer = load_llm(paths.llm)
    model = USAM(
        adapter,
        llm,
        tokenizer,
        encoders,
        checkpoint,
        load_word_streams(paths.encoders, encoders, adapter.config),
    )
    model.encoders.requires_grad_(False)
    return model


def for_preset(
    model: USAM, preset: str, clips: Sequence[HeardClip], options: WordsOptions, report: Callable[[str], None]
) -> USAM:
    """The same adapter in front of a preset's language model; made once and kept in the work folder."""
    llm, tokenizer = load_llm(fetch(preset, lambda message, share: report(message)).llm)
    folder = options.work / "transferred"
    if not (folder / "config.json").exists():
        sizes = {**model.adapter.config.to_dict(), **PRESETS[preset].fields, "preset": preset}
        adapter = transfer(
            model.adapter.cpu(),
            TextSpace(model.embeddings.weight.detach().cpu(), model.tokenizer),
            TextSpace(cast(nn.Embedding, llm.get_input_embeddings()).weight.detach(), tokenizer),
            USAMConfig(**sizes),
            [clip.tokens for clip in clips],
            options.seed,
            report=report,
        )
        adapter.save_pretrained(folder)
    encoders = cast("list[Encoder]", list(model.encoders))
    return USAM(load_adapter(folder), llm, tokenizer, encoders, options.start, model.word_streams)


def training_clips(options: WordsOptions | HeadsOptions) -> list[Example]:
    """The training part of the corpus without what is long, shuffled."""
    train, _ = split(read_corpus(options.corpus), options.heldout)
    train = [example for example in train if example.seconds <= LONGEST]
    Random(options.seed).shuffle(train)
    return train


def heard(model: USAM, options: WordsOptions, report: Callable[[str], None]) -> list[HeardClip]:
    """The training clips as the model hears them, computed once and kept in the work folder."""
    train = training_clips(options)
    speech = [example for example in train if example.kind == "speech"][:SPEECH_CLIPS]
    rest = [example for example in train if example.kind != "speech"]
    rest += write_mixtures(options.work / "mixtures", train, min(MIXTURES, len(train) // 3), options.seed)
    rest += write_silence(options.work / "silence", SILENCES)
    model.eval()
    if not USAMConfig.from_pretrained(options.start).kind_head:
        fit_kinds(model, hear_looks(model, speech + rest, options.work / "looks.pt", report, options.seed))
    # Of the clips it was fitted on, the head of names is surer than it will be of any others.
    names, model.adapter.names = model.adapter.names, None
    clips = HeardClips(options.work / "heard", model, fingerprint(options.start))
    found = list(clips.build(speech + rest, report))
    model.adapter.names = names
    return found


def english(seed: int) -> list[str]:
    """English sentences of every source found on this machine."""
    sources = Sentences.collect(seed).by_source
    return [sentence for name in sorted(sources) for sentence in sources[name]]


def read_without_words(found: Sequence[tuple[str | None, Scene]]) -> Iterator[Scene]:
    """Some scenes of speech once more, to be written down from the expert's own projection."""
    speech = [(transcript, one) for transcript, one in found if transcript and group(one) == "speech"]
    for transcript, one in speech[::UNREAD_EVERY]:
        yield unread(one, transcript)


def group(scene: Scene) -> str:
    """What a scene of one clip is drawn as: its kind, a mixture or silence."""
    if not scene.parts:
        return SILENT
    return MIXED if scene.parts[0].behind_kind else scene.parts[0].kind


class RealScenes:
    """Draws scenes of real clips, alone and in a row."""

    def __init__(self, scenes: Sequence[Scene], model: USAM) -> None:
        self.scenes = scenes
        self.token_seconds = model.adapter.config.token_seconds
        self.groups: dict[str, dict[str, list[Scene]]] = {name: {} for name in SHARES}
        for one in scenes:
            label = one.parts[0].names[0] if one.parts and one.parts[0].names else ""
            self.groups[group(one)].setdefault(label, []).append(one)

    def labels(self, kind: Kind) -> list[str]:
        return sorted(filter(None, self.groups[kind]))

    def draw(self, random: Random) -> Scene:
        if random.random() >= ROW_SHARE:
            return self.one(random, list(SHARES))
        row = [self.one(random, KINDS) for _ in range(random.choice((2, 2, 3)))]
        return joined(row, self.token_seconds)

    def one(self, random: Random, among: Sequence[str]) -> Scene:
        names = [name for name in among if self.groups[name]] or [n for n in SHARES if self.groups[n]]
        labels = self.groups[random.choices(names, [SHARES[name] for name in names])[0]]
        if random.random() < BY_LABEL:
            return random.choice(labels[random.choice(sorted(labels))])
        return random.choice([one for found in labels.values() for one in found])


def class_names(classes: Sequence[str]) -> tuple[list[str], list[str]]:
    """Plain names of sounds and of instruments among YAMNet's classes, in their order."""
    music = range(classes.index("Music"), classes.index("Scary music") + 1)
    played = range(classes.index("Plucked string instrument"), classes.index("Singing bowl") + 1)
    named = [(index, plain_name(name)) for index, name in enumerate(classes) if name not in VAGUE]
    return [name for i, name in named if i not in music], [name for i, name in named if i in played]


def confusions(clips: Sequence[HeardClip]) -> Mapping[str, Sequence[str]]:
    """What the sound specialist says beside a name, and of clips with a label, where it was heard."""
    found: dict[str, dict[str, None]] = {}
    for clip in clips:
        names = names_heard(clip.words[1])
        for name in names:
            found.setdefault(name, {}).update(dict.fromkeys(other for other in names if other != name))
        if clip.example.label:
            found.setdefault(clip.example.label.lower(), {}).update(dict.fromkeys(names))
    return {name: tuple(others) for name, others in found.items() if others}
