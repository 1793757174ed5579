"""When words are said, to a tenth of a second: attention tells it less well than the sound itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from usam.audio.samples import SAMPLE_RATE
from usam.encoders.heads.audio_kinds import class_log_odds
from usam.encoders.words import Heard, SoundScores
from usam.schema.words import Word

FLOOR = 1e-4  # root mean square below which there is nothing
BLOCKS = 50  # of the waveform a second
PAUSE = 0.05  # of a word's loudest block: fainter ones are a pause
GAP = 4  # blocks of a pause
REACH_BACK = 0.7  # seconds by which a word may begin before its time
LONGEST_WORD = 0.3, 0.1  # seconds, and seconds a letter: what is longer is a pause or a sound behind it


def word_times(words: Sequence[Word], heard: Heard) -> list[Word]:
    """Spoken words with times that follow what is heard: the pauses between them, and where speech begins."""
    found = at_pauses(words, heard.waveform)
    return found if heard.sounds is None else after_sounds(found, heard.sounds)


def after_sounds(words: Sequence[Word], sounds: SoundScores) -> list[Word]:
    """Spoken words that follow another sound begin no earlier than speech is heard.

    The first word is often found in what sounds before it, and seems to last until the next one.
    """
    speaks = (class_log_odds(sounds)[:, 0] > 0).tolist()
    found = list(words)
    for index, word in enumerate(words):
        until = _until(words, index)
        first, last = int(word.start * sounds.rate), int(until * sounds.rate)
        onset = next((look for look in range(first, min(last + 1, len(speaks))) if speaks[look]), first)
        if word.is_language or onset == first:
            continue
        start = min(onset / sounds.rate, until - _longest(word))
        if start > word.start:
            found[index] = replace(word, start=start, end=max(word.end, until))
            if index and words[index - 1].is_language:
                found[index - 1] = replace(words[index - 1], start=start, end=start)
    return found


def _until(words: Sequence[Word], index: int) -> float:
    """When the next word begins; of the last one, when it ends."""
    following = words[index + 1 :]
    return next((word.start for word in following if not word.is_language), words[index].end)


def _longest(word: Word) -> float:
    """Seconds that a word may last: what is longer is a pause or a sound."""
    return LONGEST_WORD[0] + LONGEST_WORD[1] * len(word.text)


def at_pauses(words: Sequence[Word], waveform: Tensor) -> list[Word]:
    """Spoken words with times that follow the pauses between them; waveform [samples] at 16 kHz.

    Attention tells where a word is to within some tenths of a second, and each word lasts until the next. So
    a word that follows a pause begins where the pause ends, if that is a little before its time, and one
    before a pause ends there.
    """
    block = SAMPLE_RATE // BLOCKS
    power = waveform.float()[: len(waveform) // block * block].view(-1, block).square().mean(-1)
    loud = power.sqrt().tolist()
    found: list[Word] = []
    for index, word in enumerate(words):
        if word.is_language:
            found.append(word)
            continue
        first, last = int(word.start * BLOCKS), min(int(word.end * BLOCKS), len(loud))
        peak = max(loud[first:last], default=0.0)
        least = max(PAUSE * peak, FLOOR)
        earliest = max(0, first - int(REACH_BACK * BLOCKS))
        if index and not found[-1].is_language:
            earliest = max(earliest, int(found[-1].start * BLOCKS) + GAP)
        start = _onset(loud, earliest, first, last, least)
        end = last
        while end > start and loud[end - 1] <= least:
            end -= 1
        begins = start / BLOCKS if start != first else word.start
        ends = min(end / BLOCKS, word.end, begins + _longest(word))
        word = replace(word, start=begins, end=max(begins, ends))
        if found and start < first:
            paused = start
            while paused > 0 and loud[paused - 1] <= least:
                paused -= 1
            found[-1] = replace(found[-1], end=max(found[-1].start, min(found[-1].end, paused / BLOCKS)))
        found.append(word)
    return found


def _onset(loud: Sequence[float], earliest: int, first: int, last: int, least: float) -> int:
    """The block at which a word begins that was found at `first`: after the latest pause before it, if it is
    within reach; else where it gets loud."""
    quiet = 0
    for block in range(first - 1, earliest - 1, -1):
        quiet = quiet + 1 if loud[block] <= least else 0
        if quiet >= GAP:
            first = block + quiet
            break
    while first < last and loud[first] <= least:
        first += 1
    return first if first < last else last
