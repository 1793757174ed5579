"""What the frozen encoders hear of a clip: frames for the adapter, and the specialists' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from usam.adapter.kinds import LOOK_SECONDS, KindHead, looks_of
from usam.adapter.names import NameHead
from usam.adapter.speaker import SpeakerHead
from usam.audio.pitch import pitch_quartiles
from usam.audio.samples import SAMPLE_RATE
from usam.config import FRAME_RATE
from usam.encoders.base import Encoder, Role, SoundClassifier
from usam.encoders.frames import align, encode
from usam.encoders.heads.asked_names import asked_for, with_asked
from usam.encoders.heads.missed_speech import missed_speech, to_hear_again, with_missed, without_empty_marks
from usam.encoders.heads.sound_names import sound_scores, speech_spans
from usam.encoders.words import Heard, KindScores, NameScores, WordStream
from usam.schema.tasks import SpeechRequest
from usam.schema.words import Word
from usam.threads import on_cores, use_cores


@dataclass(frozen=True)
class Hearing:
    """A clip as the encoders heard it: U [T, D], what their heads are asked with, and the words of each
    expert by what was wanted of speech, as far as they were asked for.

    predicted: what the heads said while the frames were computed, None for those yet to be asked;
    missed: where someone speaks (s), which was not known then.
    """

    frames: Tensor
    heard: Heard
    words: dict[SpeechRequest, tuple[tuple[Word, ...], ...]] = field(default_factory=dict)
    predicted: dict[SpeechRequest, Sequence[Sequence[Word] | None]] = field(default_factory=dict)
    missed: tuple[tuple[float, float], ...] = ()


def hear(
    waveform: Tensor,
    encoders: Sequence[Encoder],
    with_words: bool,
    streams: Sequence[WordStream | None] = (),
    request: SpeechRequest = SpeechRequest(),
    kinds: KindHead | None = None,
    names: NameHead | None = None,
) -> Hearing:
    """Waveform [samples] at 16 kHz through all encoders, their frames side by side.

    Of the frames, `kinds` tells which kinds of audio are heard, `names` what they are called. The `streams`
    that need neither are asked for their words meanwhile, of speech as the request wants, on half of
    the cores: a decoder writes one token after another, which more cores do not hasten.
    """
    known: dict[int, Tensor] = {}
    heard = Heard(waveform.cpu(), {}, request=request)
    if with_words:
        heard, known = _classify(heard, waveform, encoders)
    cores = torch.get_num_threads()
    with ThreadPoolExecutor(1, "usam-words") as beside:
        early = [
            stream if stream and not (stream.reads_frames or (kinds and stream.weighs_kinds)) else None
            for stream in streams
        ]
        pending = beside.submit(_ask, early, heard, cores // 2) if any(early) and cores > 1 else None
        with on_cores(cores if pending is None else cores - cores // 2):
            found = [
                known[id(encoder)] if id(encoder) in known else encode(encoder, waveform)
                for encoder in encoders
            ]
        predicted = {} if pending is None else {request: pending.result()}
    frames = align(found, [encoder.frame_rate for encoder in encoders], len(waveform))
    by_role: Mapping[Role, Tensor] = {e.role: s for e, s in zip(encoders, found, strict=True)}
    heard = replace(heard, frames=by_role)
    if with_words and (kinds or names):
        looks = looks_of(frames)
        heard = replace(
            heard,
            kinds=KindScores(kinds.scores(looks), LOOK_SECONDS) if kinds else None,
            names=name_scores(names, looks) if names else None,
        )
    missed = missed_speech(heard)
    return Hearing(frames, with_missed(heard, missed), predicted=predicted, missed=missed)


def name_scores(head: NameHead, looks: Tensor) -> NameScores:
    """What the head makes of looks [N, 3D]."""
    scores = head.scores(looks)
    return NameScores(scores, head.names, head.kinds, LOOK_SECONDS, float(head.slope), float(head.offset))


@torch.inference_mode()
def hear_words(
    waveform: Tensor,
    encoders: Sequence[Encoder],
    streams: Sequence[WordStream | None],
    request: SpeechRequest = SpeechRequest(),
) -> tuple[Heard, tuple[tuple[Word, ...], ...]]:
    """What the specialists' heads say of a waveform [samples] at 16 kHz, an expert each, and what they were
    asked with. They are asked to be thorough, as no adapter says anything beside them; the frames that it
    reads are computed for heads alone that need them."""
    if any(stream is not None and stream.reads_frames for stream in streams):
        hearing = hear(waveform, encoders, True)
        hearing = replace(hearing, heard=replace(hearing.heard, thorough=True))
        return hearing.heard, words_of(hearing, streams, request, None)
    heard, _ = _classify(Heard(waveform.cpu(), {}, request=request, thorough=True), waveform, encoders)
    return heard, tuple(() if stream is None else tuple(stream.words(heard)) for stream in streams)


def _classify(heard: Heard, waveform: Tensor, encoders: Sequence[Encoder]) -> tuple[Heard, dict[int, Tensor]]:
    """With what the audio specialist hears, if there is one, and its frames by the encoder's `id`."""
    audio = next((encoder for encoder in encoders if isinstance(encoder, SoundClassifier)), None)
    if audio is None:
        return heard, {}
    frames = encode(audio, waveform)
    sounds = sound_scores(audio, frames)
    return replace(heard, sounds=sounds, speech=speech_spans(sounds)), {id(audio): frames}


@torch.inference_mode()
def _ask(streams: Sequence[WordStream | None], heard: Heard, cores: int) -> Sequence[Sequence[Word] | None]:
    """What the streams say, None for those that are not there."""
    use_cores(cores)
    return [None if stream is None else stream.words(heard) for stream in streams]


@torch.inference_mode()
def words_of(
    hearing: Hearing,
    streams: Sequence[WordStream | None],
    request: SpeechRequest,
    speaker: SpeakerHead | None,
) -> tuple[tuple[Word, ...], ...]:
    """The words of each expert, computed once for each request."""
    if request not in hearing.words:
        heard = replace(hearing.heard, request=request)
        before = next(iter(hearing.words.values()), None)
        predicted = hearing.predicted.get(request, [None] * len(streams))
        found: list[tuple[Word, ...]] = []
        for index, stream in enumerate(streams):
            if stream is None:
                found.append(())
            elif stream.role != "speech" and before is not None:
                found.append(before[index])  # what is wanted is about speech alone
            else:
                known = predicted[index]
                words = stream.words(heard) if known is None else known
                if stream.role == "speech":
                    words = _spoken(stream, words, known is not None, hearing, heard)
                    words = name_speakers(words, heard, speaker)
                found.append(tuple(words))
        hearing.words[request] = tuple(found)
    return hearing.words[request]


def _spoken(
    stream: WordStream, words: Sequence[Word], early: bool, hearing: Hearing, heard: Heard
) -> Sequence[Word]:
    """What is said; of a stream that was asked before the kinds were known, what they change is asked for
    now."""
    again = to_hear_again(heard, hearing.missed, words) if early else ()
    if again:
        words = [word for word in words if not any(start <= word.start <= end for start, end in again)]
        words += stream.words(replace(heard, speech=again))
        words.sort(key=lambda word: word.start)
    return without_empty_marks(words, heard)


def words_asked_for(
    heard: Heard,
    words: tuple[tuple[Word, ...], ...],
    streams: Sequence[WordStream | None],
    question: str,
) -> tuple[tuple[Word, ...], ...]:
    """The words of each expert; among those of the audio expert what a question names and may be heard."""
    asked = asked_for(heard, question) if question and heard.kinds is not None else []
    return tuple(
        with_asked(own, asked) if asked and stream is not None and stream.role == "audio" else own
        for own, stream in zip(words, streams, strict=True)
    )


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
