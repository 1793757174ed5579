"""What the model's own parts say alone, about the same clips and under the same scoring."""

import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from usam.audio.samples import SAMPLE_RATE
from usam.data.instructions import family
from usam.encoders import MusiCNN, Whisper, YAMNet
from usam.encoders.heads.name_words import label_words
from usam.encoders.whisper import log_mel
from usam.encoders.whisper_decoder import Transcriber, load_transcriber
from usam.engine.engine import Engine
from usam.evaluation.answering import Report, ask
from usam.evaluation.baselines.cascade import cascade
from usam.evaluation.clips import TestClip
from usam.evaluation.judging import family_listed, listed
from usam.evaluation.metrics import Figure, share
from usam.evaluation.questions import Question, score
from usam.model.pretrained import fetch
from usam.schema.interventions import DropSpan
from usam.schema.tasks import SpeechTask

TOP = (1, 3)
# Whisper's own: a text that zlib packs tighter than this repeats itself, and is decoded again, warmer.
REPETITIVE = 2.4
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)
WITHOUT_AUDIO = DropSpan(0.0, 3600.0)  # no clip is longer
Figures = Mapping[str, Figure]


def baselines(
    engine: Engine,
    sets: Mapping[str, Sequence[Question]],
    work: Path | None = None,
    report: Report = lambda message: None,
) -> dict[str, Figures]:
    """Figures of every baseline, by name: the taggers, Whisper's decoder, the LLM without audio, and the
    cascade."""
    yamnet, musicnn = engine.model.encoder("audio"), engine.model.encoder("music")
    assert isinstance(yamnet, YAMNet)
    assert isinstance(musicnn, MusiCNN)
    sounds = [question.clip for question in sets["sounds"]]
    music = [question.clip for question in sets["instruments"]]
    guesses = {
        "YAMNet": {clip: yamnet_names(yamnet, clip.waveform) for clip in [*sounds, *music]},
        "musicnn": {clip: [name for name, _ in musicnn.top(clip.waveform, max(TOP))] for clip in music},
    }
    report("YAMNet and musicnn asked")
    found: dict[str, Figures] = {
        f"{name} top-{k}": named({clip: tags[:k] for clip, tags in tagged.items()})
        for name, tagged in guesses.items()
        for k in TOP
    }
    found |= whisper(sets["transcription"], work, report)
    if foreign := sets["foreign"]:
        report(f"Whisper's decoder hears {len(sets['translation'])} clips in other languages")
        for name, figures in whisper_foreign(foreign, sets["translation"]).items():
            found[name] = {**found.get(name, {}), **figures}
    report("the LLM without audio")
    questions = [question for asked in sets.values() for question in asked]
    replies = ask(engine, questions, report, WITHOUT_AUDIO)
    found["LLM without audio"] = score(questions, [reply.text for reply in replies])
    found["cascade"] = cascade(engine, questions, report)
    return found


def yamnet_names(yamnet: YAMNet, waveform: Tensor) -> list[str]:
    """Its first classes for a clip [samples]. "Vehicle" or "Music" may lead the list: that is its answer."""
    return [name for name, _ in yamnet.top(yamnet.frames(waveform), max(TOP))]


def named(guesses: Mapping[TestClip, Sequence[str]]) -> Figures:
    """The naming figures of lists of guesses."""
    labelled = [
        (clip.kinds, names, clip.label)
        for clip, names in guesses.items()
        if clip.label and label_words(clip.label)
    ]
    music = [(names, label) for kinds, names, label in labelled if kinds == {"music"}]
    hits = {
        "sound named": [listed(names, label) for kinds, names, label in labelled if kinds == {"sound"}],
        "instrument named": [listed(names, label) for names, label in music],
        "instrument family named": [family_listed(names, label) for names, label in music if family(label)],
    }
    return {name: share(right) for name, right in hits.items() if right}


def whisper(questions: Sequence[Question], work: Path | None, report: Report) -> dict[str, Figures]:
    """Its greedy decoder, and the same with the guard against loops that Whisper is used with.

    The texts are kept in `work`, if given, by the clips' content: Whisper is slow, and the same beside every
    checkpoint.
    """
    file = work / "whisper.json" if work else None
    known: dict[str, list[str]] = json.loads(file.read_text()) if file and file.exists() else {}
    clips = [(question.clip.audio.sha256, question.clip) for question in questions]
    missing = [(sha256, clip) for sha256, clip in clips if sha256 not in known]
    transcriber = load_transcriber(fetch().encoders[Whisper.name]) if missing else None
    for index, (sha256, clip) in enumerate(missing, 1):
        assert transcriber is not None
        plain = transcriber.transcribe(clip.waveform)
        guarded = decode_again(transcriber, clip.waveform) if repetitive(plain) else plain
        known[sha256] = [plain, guarded]
        if index % 25 == 0 or index == len(missing):
            report(f"Whisper's decoder transcribed {index} of {len(missing)} clips")
            if file:
                file.write_text(json.dumps(known, indent=0), encoding="utf-8")
    texts = [known[sha256] for sha256, _ in clips]
    return {
        "Whisper base": score(questions, [plain for plain, _ in texts]),
        "Whisper base, loop guard": score(questions, [guarded for _, guarded in texts]),
    }


def whisper_foreign(foreign: Sequence[Question], translation: Sequence[Question]) -> dict[str, Figures]:
    """What its decoder makes of speech in other languages, written down and in English: told which language
    is spoken, and finding out by itself."""
    transcriber = load_transcriber(fetch().encoders[Whisper.name])

    @cache
    def text(clip: TestClip, language: str | None, task: SpeechTask) -> str:
        return transcriber.transcribe(clip.waveform, language, task)

    asked = [
        *((question, "transcribe") for question in foreign),
        *((one, "translate") for one in translation),
    ]
    return {
        name: score(
            [question for question, _ in asked],
            [text(question.clip, question.clip.language if told else None, task) for question, task in asked],
        )
        for name, told in (("Whisper base", True), ("Whisper base, language not told", False))
    }


def repetitive(text: str) -> bool:
    """Whether a text repeats itself, as a decoder does that is caught in a loop."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded)) > REPETITIVE


@torch.inference_mode()
def decode_again(transcriber: Transcriber, waveform: Tensor) -> str:
    """Sample at rising temperatures until the text repeats itself no longer, or there is none left."""
    torch.manual_seed(0)
    span = waveform[: 30 * SAMPLE_RATE]
    mel = log_mel(F.pad(span, (0, 30 * SAMPLE_RATE - len(span))).float())[None]
    text = ""
    for temperature in TEMPERATURES:
        ids = transcriber.model.generate(mel, language="en", task="transcribe", temperature=temperature)[0]
        text = str(transcriber.tokenizer.decode(ids.tolist(), skip_special_tokens=True)).strip()
        if not repetitive(text):
            break
    return text
