"""What the frozen encoders hear of a clip: frames for the adapter, and the specialists' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from usam.adapter.speaker import SpeakerHead
from usam.audio.pitch import pitch_quartiles
from usam.audio.samples import SAMPLE_RATE
from usam.config import FRAME_RATE
from usam.encoders.base import Encoder, Role
from usam.encoders.frames import align
from usam.encoders.sound_names import sound_scores, speech_spans
from usam.encoders.words import Heard, WordStream
from usam.encoders.yamnet import YAMNet
from usam.schema.tasks import SpeechTask
from usam.schema.words import Word


@dataclass(frozen=True)
class Hearing:
    """A clip as the encoders heard it: U [T, D], what their heads are asked with, and the words of each
    expert by what was wanted of speech, as far as they were asked for."""

    frames: Tensor
    heard: Heard
    words: dict[SpeechTask, tuple[tuple[Word, ...], ...]] = field(default_factory=dict)


def hear(waveform: Tensor, encoders: Sequence[Encoder], with_words: bool) -> Hearing:
    """Waveform [samples] at 16 kHz through all encoders, their frames side by side."""
    streams = [encoder.frames(waveform) for encoder in encoders]
    frames = align(streams, [encoder.frame_rate for encoder in encoders], len(waveform))
    by_role: Mapping[Role, Tensor] = {e.role: s for e, s in zip(encoders, streams, strict=True)}
    heard = Heard(waveform.cpu(), by_role)
    if with_words:
        audio = next((encoder for encoder in encoders if isinstance(encoder, YAMNet)), None)
        if audio is not None:
            sounds = sound_scores(audio, by_role["audio"])
            heard = replace(heard, sounds=sounds, speech=speech_spans(sounds))
    return Hearing(frames, heard)


@torch.inference_mode()
def words_of(
    hearing: Hearing, streams: Sequence[WordStream | None], task: SpeechTask, speaker: SpeakerHead | None
) -> tuple[tuple[Word, ...], ...]:
    """The words of each expert, computed once for each task."""
    if task not in hearing.words:
        heard = replace(hearing.heard, task=task)
        before = next(iter(hearing.words.values()), None)
        found: list[tuple[Word, ...]] = []
        for index, stream in enumerate(streams):
            if stream is None:
                found.append(())
            elif stream.role != "speech" and before is not None:
                found.append(before[index])  # the task is about speech alone
            else:
                words = stream.words(heard)
                found.append(
                    tuple(name_speakers(words, heard, speaker) if stream.role == "speech" else words)
                )
        hearing.words[task] = tuple(found)
    return hearing.words[task]


def name_speakers(words: Sequence[Word], heard: Heard, head: SpeakerHead | None) -> list[Word]:
    """The same words, each bracket that opens a transcript saying who speaks as well."""
    if head is None:
        return list(words)
    named: list[Word] = []
    for word in words:
        if word.before == " [":
            start, end = next(
                (span for span in heard.speech if span[0] <= word.start <= span[1]),
                (word.start, word.start + 1),
            )
            frames = heard.frames["speech"][int(start * FRAME_RATE) : max(1, int(end * FRAME_RATE))]
            if len(frames):
                voice = pitch_quartiles(heard.waveform[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)])
                name, sure = head.name(voice, frames)
                named.append(Word(word.start, word.start, name, sure, " [", ""))
                word = replace(word, before=", ")
        named.append(word)
    return named
