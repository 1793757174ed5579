"""YAMNet's class names as words: which sounds are heard, and when.

Frames are pooled over about a second; a stretch of time in which the same names stay likeliest is one
segment with at most three of them, the surest first. Classes that fit nearly every clip, or say where
rather than what, are left out. Behind speech, where little can be named, the kind of audio can be said
instead. Where it is known which kinds are heard, they are said too, and names of the others are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from usam.audio.samples import SAMPLE_RATE
from usam.encoders.base import Role, SoundClassifier
from usam.encoders.heads.fitted_names import with_fitted
from usam.encoders.heads.kind_states import KindSpan, kind_spans
from usam.encoders.heads.sound_classes import PLACES, VAGUE, VOICES, plain_name
from usam.encoders.words import Heard, SoundScores, spans
from usam.schema.segments import KINDS, Kind
from usam.schema.words import Word

POOL = 3  # frames of 0.32 s in one look
NAMES = 3  # of one segment
LEAST_SCORE = 0.06  # of a name that is worth saying
LEAST_SHARE = 0.12  # of the surest name's score
NEW_NAME = 0.2  # score of a name that begins a new segment
FAINT = 0.03  # of the loudest look: a look this much fainter names nothing
SILENT = 0.008  # root mean square (-42 dBFS) below which there is hiss or hum at most, which names nothing
LEAST_BESIDE_SPEECH = 0.12  # of a name in a segment through most of which someone speaks
MUSIC_BEHIND, SOUND_BEHIND = 0.04, 0.05  # mean score beside speech that is worth saying without a name
SPEECH = 0.3  # score of the speech classes above which someone speaks
SINGING_AT_MOST = 0.6  # score of singing above which speech is song, unless speech is surer
MUSIC = 0.3  # score of the music classes above which music plays
LEAST_PLACE = 0.12  # mean score of a place that is worth saying
CERTAIN = 0.5  # score of a name that is said whatever kind of audio it is
# Of music and of sounds: who sings, or hums, may be a part of either.
EITHER_KIND = ("Singing", "Choir", "Yodeling", "Chant", "Mantra", "Child singing", "Rapping", "Humming",
               "Whistling")  # fmt: skip


@cache
def _columns(classes: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(classes.index(name) for name in wanted if name in classes)


def sound_scores(encoder: SoundClassifier, frames: Tensor) -> SoundScores:
    """The class probabilities over the encoder's frames [T, D]."""
    return SoundScores(encoder.scores(frames).float().cpu(), encoder.classes, encoder.frame_rate)


def speech_spans(sounds: SoundScores) -> tuple[tuple[float, float], ...]:
    """Where someone speaks: spans in seconds, a little wider than heard, short pauses included."""
    voice = sounds.scores[:, list(_columns(sounds.classes, VOICES))].amax(-1)
    song = sounds.scores[:, list(_columns(sounds.classes, ("Singing", "Choir", "Chant")))].amax(-1)
    return spans(
        (voice > SPEECH) & ((song < SINGING_AT_MOST) | (voice > song)), sounds.rate, reach=0.4, gap=1.0
    )


def speech_score(sounds: SoundScores | None, start: float, end: float) -> float:
    """How sure it is that someone speaks between two times (s): the mean score where speech is heard at all.

    Without scores nothing speaks against it, and it is 1.
    """
    if sounds is None:
        return 1.0
    voice = sounds.scores[:, list(_columns(sounds.classes, VOICES))].amax(-1)
    part = voice[int(start * sounds.rate) : max(int(start * sounds.rate) + 1, round(end * sounds.rate))]
    heard = part[part > SPEECH]
    return float(heard.mean()) if len(heard) else 0.0


def music_spans(sounds: SoundScores) -> tuple[tuple[float, float], ...]:
    """Where music is heard, an instrument or a song."""
    music = sounds.scores[:, _musical(sounds.classes)].amax(-1)
    return spans(music > MUSIC, sounds.rate, reach=0.2, gap=1.0)


@cache
def kind_columns(classes: tuple[str, ...]) -> tuple[list[int], list[int], list[int]]:
    """Which classes are speech, which are sounds with a name, and which are music."""
    music = list(range(len(classes)))[_musical(classes)]
    vague = _columns(classes, tuple(sorted(VAGUE)))
    sounds = [index for index in range(len(classes)) if index not in vague and index not in music]
    return list(_columns(classes, VOICES)), sounds, music


def music_names(sounds: SoundScores) -> frozenset[str]:
    """The plain names of the classes that are music: instruments, genres, moods."""
    return frozenset(plain_name(name) for name in sounds.classes[_musical(sounds.classes)])


def names_between(heard: Heard, sounds: SoundScores, start: float, end: float, kind: Kind) -> list[str]:
    """The surest names, of one kind, of all that is heard between two times (s)."""
    first = int(start * sounds.rate)
    part = _nameable(heard, sounds)[first : max(first + 1, round(end * sounds.rate))]
    others = torch.ones(len(sounds.classes), dtype=torch.bool)
    others[kind_columns(sounds.classes)[KINDS.index(kind)]] = False
    scores = ((part.mean(0) + part.amax(0)) / 2).masked_fill(others, 0.0)
    return [name for name, _ in _surest(scores, sounds.classes, LEAST_SCORE)]


class SoundNames:
    """Words of the audio expert, bracketed: ` (dog barking, growling)`. Where it is known which kinds are
    heard they are said through all of the clip: ` (speech) (speech with sound: dog barking) (music)`.

    background_kinds: whether behind speech the kind, music or sound, is said where nothing can be named; for
    an adapter that was trained with it.
    """

    role: Role = "audio"
    reads_frames = False
    weighs_kinds = True

    def __init__(self, background_kinds: bool = False) -> None:
        self.background_kinds = background_kinds

    def words(self, heard: Heard) -> list[Word]:
        if heard.sounds is None:
            return []
        sounds = heard.sounds
        table = _nameable(heard, sounds)
        found: list[Word] = []
        if heard.kinds is not None:
            for span in kinds_heard(heard):
                found += _of_span(span, heard, sounds, table)
            return found + self._place(heard, sounds)
        for first, last, scores in _segments(table):
            start, end = first / sounds.rate, min(last / sounds.rate, len(heard.waveform) / SAMPLE_RATE)
            spoken = sum(max(0.0, min(b, end) - max(a, start)) for a, b in heard.speech) > (end - start) / 2
            names = _surest(scores, sounds.classes, LEAST_BESIDE_SPEECH if spoken else LEAST_SCORE)
            if self.background_kinds and spoken and not names:
                names = _behind(sounds.scores[first:last], table[first:last], sounds.classes)
            found += bracketed(start, end, names, "(", ")")
        return found + self._place(heard, sounds)

    def _place(self, heard: Heard, sounds: SoundScores) -> list[Word]:
        if is_silent(heard.waveform):
            return []
        columns = _columns(sounds.classes, tuple(PLACES))
        mean = sounds.scores[:, list(columns)].mean(0)
        best = int(mean.argmax())
        if float(mean[best]) < LEAST_PLACE:
            return []
        name = PLACES[sounds.classes[columns[best]]]
        end = len(heard.waveform) / SAMPLE_RATE
        return [Word(0.0, end, name, float(mean[best]), " (in ", ")")]


def kinds_heard(heard: Heard) -> list[KindSpan]:
    """Which kinds are heard, span after span, where a head tells; nothing in silence."""
    if heard.kinds is None or is_silent(heard.waveform):
        return []
    loud = loudness(heard.waveform, len(heard.kinds.scores), 1 / heard.kinds.seconds)
    return kind_spans(heard.kinds, loud < FAINT * loud.max(), len(heard.waveform) / SAMPLE_RATE)


def _nameable(heard: Heard, sounds: SoundScores) -> Tensor:
    """The scores [T, C] of classes that are names, where it is not too faint for them."""
    vague = list(_columns(sounds.classes, tuple(sorted(VAGUE))))
    loud = loudness(heard.waveform, len(sounds.scores), sounds.rate)
    faint = loud < (FAINT * loud.max()).clamp_min(SILENT)
    return sounds.scores.index_fill(1, torch.tensor(vague), 0.0).masked_fill(faint[:, None], 0.0)


def loudness(waveform: Tensor, looks: int, rate: float) -> Tensor:
    """Root mean square of each of `looks` equal parts, `rate` a second, of a waveform [samples]."""
    size = int(SAMPLE_RATE / rate)
    padded = F.pad(waveform.float(), (0, max(0, looks * size - len(waveform))))[: looks * size]
    return padded.view(looks, size).square().mean(-1).sqrt()


def is_silent(waveform: Tensor) -> bool:
    """Whether nothing but hiss or hum can be in a waveform [samples]."""
    return bool(waveform.float().square().mean().sqrt() < SILENT)


def _behind(scores: Tensor, table: Tensor, classes: tuple[str, ...]) -> list[tuple[str, float]]:
    """What kind of audio is behind speech where nothing can be named; scores and named scores [T, C]."""
    music = float(scores[:, _musical(classes)].amax(-1).mean())
    sound = float(table.mean(0).max())
    if music >= MUSIC_BEHIND:
        return [("music", music)]
    return [("sound", sound)] if sound >= SOUND_BEHIND else []


def _of_span(span: KindSpan, heard: Heard, sounds: SoundScores, table: Tensor) -> list[Word]:
    """The words of a span: the kinds heard through it, and names of these kinds; scores of names [T, C]."""
    kinds = heard.kinds
    assert kinds is not None
    rate, classes = sounds.rate, sounds.classes
    first = min(len(table) - 1, round(span.start * rate))
    part = table[first : max(first + 1, round(span.end * rate))]
    spoken = "speech" in span.kinds
    musical = torch.zeros(len(classes), dtype=torch.bool)
    musical[_musical(classes)] = True
    other = {
        kind: kind not in span.kinds and (spoken or kinds.mean(kind, span.start, span.end) <= 0)
        for kind in KINDS
    }
    wrong = (musical & other["music"]) | (~musical & other["sound"])
    if len(span.kinds) > spoken:
        wrong[list(_columns(classes, EITHER_KIND))] = False
    found: list[Word] = []
    for start, last, scores in _segments(part):
        names = _surest(
            scores.masked_fill(wrong & (scores < CERTAIN), 0.0),
            classes,
            LEAST_BESIDE_SPEECH if spoken else LEAST_SCORE,
        )
        begins, ends = (min(span.end, (first + at) / rate) for at in (start, last))
        if heard.names is not None and span.kinds != ("speech",):
            names = with_fitted(names, heard.names, span.kinds, begins, ends, NAMES)
        named = span.kinds
        if named == ("speech",):  # but something else is too sure to be left out
            named = ("speech", "music" if scores[musical].max() > scores[~musical].max() else "sound")
        found += bracketed(max(span.start, begins), ends, names, opening_of(named), ")")
    sure = sum((min(1.0, kinds.mean(kind, span.start, span.end)) + 1) / 2 for kind in span.kinds)
    alone = (kinds_named(span.kinds), max(0.05, sure / len(span.kinds)))
    return found or bracketed(span.start, span.end, [alone], "(", ")")


def _musical(classes: tuple[str, ...]) -> slice:
    return slice(classes.index("Music"), classes.index("Scary music") + 1)


def _segments(table: Tensor) -> list[tuple[int, int, Tensor]]:
    """Class scores [T, C] -> segments (first frame, end, mean scores [C]).

    Looks that share a top name are one segment, and what names nothing new belongs to the one before.
    """
    pieces = [(i, min(i + POOL, len(table))) for i in range(0, len(table), POOL)]
    if len(pieces) > 1 and pieces[-1][1] - pieces[-1][0] < POOL:
        pieces[-2:] = [(pieces[-2][0], pieces[-1][1])]
    segments: list[tuple[int, int, Tensor]] = []
    for first, end in pieces:
        scores = (table[first:end].mean(0) + table[first:end].amax(0)) / 2
        if segments:
            start, _, before = segments[-1]
            if float(scores.max()) < NEW_NAME and float(before.max()) >= LEAST_SCORE:
                segments[-1] = (start, end, before)
                continue
            if _alike(before, scores):
                length, added = first - start, end - first
                segments[-1] = (start, end, (before * length + scores * added) / (length + added))
                continue
        segments.append((first, end, scores))
    return segments


def _alike(before: Tensor, scores: Tensor) -> bool:
    """Whether two looks share one of their two surest names, or neither names anything."""
    if float(before.max()) < LEAST_SCORE:
        return float(scores.max()) < LEAST_SCORE
    return bool(_two_surest(before) & _two_surest(scores))


def _two_surest(scores: Tensor) -> set[int]:
    """Of the classes that are worth saying."""
    best, indices = scores.topk(2)
    return set(indices[best >= LEAST_SCORE].tolist())


def _surest(scores: Tensor, classes: tuple[str, ...], least: float) -> list[tuple[str, float]]:
    """At most NAMES plain names, no two the same, the surest first."""
    best, indices = scores.topk(2 * NAMES)
    names: dict[str, float] = {}
    for score, index in zip(best.tolist(), indices.tolist(), strict=True):
        if score >= max(least, LEAST_SHARE * float(best[0])):
            names.setdefault(plain_name(classes[index]), score)
    return list(names.items())[:NAMES]


def kinds_named(kinds: Sequence[Kind]) -> str:
    """Kinds that are heard at once, in words: `speech with music`."""
    return " with ".join(kinds)


def opening_of(kinds: Sequence[Kind]) -> str:
    """How a bracket of names opens where it is known which kinds are heard."""
    return f"({kinds_named(kinds)}: "


def names_heard(words: Sequence[Word]) -> list[str]:
    """What the audio expert's words name: no place, and no kinds that stand where nothing could be named."""
    return [word.text for word in words if not word.is_place and not is_kind(word.text)]


def is_kind(text: str) -> bool:
    """Whether a word of the audio expert names no more than the kinds that are heard."""
    return all(part in KINDS for part in text.split(" with "))


def bracketed(
    start: float, end: float, names: list[tuple[str, float]], opening: str, closing: str
) -> list[Word]:
    """Names of one span as words that the language model reads as one bracket: ` (a, b)`."""
    return [
        Word(
            start,
            end,
            name,
            min(1.0, confidence),
            f" {opening}" if index == 0 else ", ",
            closing if index == len(names) - 1 else "",
        )
        for index, (name, confidence) in enumerate(names)
    ]
