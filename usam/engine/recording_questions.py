"""Questions about whole recordings: all of it read at once if it fits, else span by span.

The language model's context bounds what it reads at once. Of a longer recording it is asked the same about
every span, and then about its own answers, as notes with their times.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from usam.adapter.tokens import AudioTokens, joined
from usam.audio.clip import AudioSource
from usam.audio.recording import recording_spans
from usam.engine.recording_encoding import EncodedRecording, EncodedSpan, encode_span, read_span
from usam.errors import RequestError
from usam.generation.fair_lock import FairLock
from usam.generation.repetition import RepetitionGuard
from usam.generation.sampling import SamplingParams
from usam.generation.stream import TextStream
from usam.llm.prompts import Prompt
from usam.model.model import IGNORED, USAM
from usam.schema.answer import ModelInfo, Turn
from usam.schema.events import TextDelta
from usam.schema.recording_answer import (
    RecordingAnswer,
    RecordingEvent,
    SpanAnswer,
    SpanEncoded,
    SpanUsed,
    clock,
)
from usam.schema.tasks import speech_task

LONGEST_ASKED = 3 * 3600.0  # seconds of a recording that may be asked about
SPAN_ANSWER_TOKENS = 48
NOTES = "Notes on the parts of a recording, in order:\n{notes}\n\nThis is asked about the whole: {question}"
CLEARLY = 0.5  # of the strongest span's gain: a span with less is none that the answer leans on
MOST_USED = 5  # spans that are named


@dataclass(frozen=True)
class RecordingQuestion:
    """A checked question about a recording."""

    question: str
    task: str
    history: tuple[Turn, ...]
    sampling: SamplingParams


class RecordingReader:
    """Answers one question about one recording; the lock is held for a span, or a token, at a time."""

    def __init__(
        self, model: USAM, lock: FairLock, info: ModelInfo, asked: RecordingQuestion, stop: threading.Event
    ) -> None:
        self.model = model
        self.lock = lock
        self.info = info
        self.asked = asked
        self.stop = stop
        self.prompt = model.prompts.build(asked.question, asked.history)
        self.context: int = model.llm.config.max_position_embeddings

    def answer(self, source: AudioSource, recording: EncodedRecording) -> Iterator[RecordingEvent]:
        """`SpanEncoded`s, `SpanAnswer`s where it is read span by span, `TextDelta`s, the answer.

        What is encoded is kept in `recording`, and not encoded again. It ends without an answer when it is
        stopped before the answer begins. Raises UsamError.
        """
        began = time.monotonic()
        yield from self._encode(source, recording)
        if self.stop.is_set():
            return
        encoded_at = time.monotonic()
        spans = tuple(recording.spans)
        read: list[AudioTokens] = []
        for span in spans:
            with self.lock:
                read.append(read_span(self.model, span, self.prompt.question))
        tokens = sum(int(audio.mask.sum()) for audio in read)
        answers: list[SpanAnswer] = []
        if self._fits(self.prompt, tokens):
            stream = yield from self._shown(joined(read), self.prompt)
        else:
            for span, audio in zip(spans, read, strict=True):
                text = self._text(audio, self.prompt)
                if self.stop.is_set():
                    return
                answers.append(SpanAnswer(span.start, span.end, text))
                yield answers[-1]
            silent = unheard(read[0])
            prompt = self._over(answers, silent)
            if self.stop.is_set():
                return
            stream = yield from self._shown(silent, prompt)
        yield RecordingAnswer(
            text=stream.text(),
            question=self.asked.question,
            task=self.asked.task,
            way="span by span" if answers else "whole",
            leans_on=self._used(spans, read, stream.ids),
            span_answers=tuple(answers),
            duration=recording.duration,
            tokens=tokens,
            context=self.context,
            encode_s=encoded_at - began,
            answer_s=time.monotonic() - encoded_at,
            model=self.info,
            seed=self.asked.sampling.seed,
            temperature=self.asked.sampling.temperature,
            finish=stream.finish,
            history=self.asked.history,
        )

    def _encode(self, source: AudioSource, recording: EncodedRecording) -> Iterator[SpanEncoded]:
        """Encode what is not encoded yet; others who ask about the same recording may do so in turn."""
        task = speech_task(self.asked.task, self.asked.question)
        while not (recording.complete or self.stop.is_set()):
            span = next(recording_spans(source, recording.end))
            if span.duration > LONGEST_ASKED:
                hours = LONGEST_ASKED / 3600
                raise RequestError(f"Questions can be asked about recordings of up to {hours:g} hours.")
            with self.lock:
                if recording.end == span.start:
                    recording.spans.append(encode_span(self.model, span, task))
                    recording.duration = span.duration
            yield SpanEncoded(recording.end, recording.duration)

    def _fits(self, prompt: Prompt, audio_tokens: int, answer_tokens: int | None = None) -> bool:
        wanted = self.asked.sampling.max_new_tokens if answer_tokens is None else answer_tokens
        return len(prompt.left) + audio_tokens + len(prompt.right) + wanted <= self.context

    def _stream(self, audio: AudioTokens, prompt: Prompt, most: int) -> TextStream:
        if not self._fits(prompt, int(audio.mask.sum()), most):
            raise RequestError("The conversation about this recording has become too long. Start a new one.")
        sampling = replace(self.asked.sampling, max_new_tokens=most)
        guard = RepetitionGuard(lambda token: self.model.prompts.text([token]))
        return TextStream(self.model, audio, prompt, sampling, self.stop, self.lock, guard)

    def _shown(self, audio: AudioTokens, prompt: Prompt) -> Generator[RecordingEvent, None, TextStream]:
        stream = self._stream(audio, prompt, self.asked.sampling.max_new_tokens)
        for piece in stream:
            yield TextDelta(piece)
        return stream

    def _text(self, audio: AudioTokens, prompt: Prompt) -> str:
        """What is answered on the way to the answer."""
        stream = self._stream(audio, prompt, min(SPAN_ANSWER_TOKENS, self.asked.sampling.max_new_tokens))
        for _ in stream:
            pass
        return stream.text()

    def _over(self, answers: Sequence[SpanAnswer], silent: AudioTokens) -> Prompt:
        """The question about the whole, after what was answered about its parts: as many at once as fit,
        until all do."""
        notes = list(answers)
        while not self._fits(prompt := self._notes_prompt(notes), 0):
            half = -(-len(notes) // 2)
            while half > 1 and not self._fits(self._notes_prompt(notes[:half]), 0):
                half //= 2
            if half < 2:
                raise RequestError(
                    "The conversation about this recording has become too long. Start a new one."
                )
            groups = [notes[at : at + half] for at in range(0, len(notes), half)]
            notes = [
                SpanAnswer(group[0].start, group[-1].end, self._text(silent, self._notes_prompt(group)))
                for group in groups
            ]
        return prompt

    def _notes_prompt(self, answers: Sequence[SpanAnswer]) -> Prompt:
        lines = [f"{clock(one.start)} to {clock(one.end)}: {' '.join(one.text.split())}" for one in answers]
        asked = NOTES.format(notes="\n".join(lines), question=self.asked.question)
        return self.model.prompts.build(asked, self.asked.history)

    @torch.inference_mode()
    def _used(
        self, spans: Sequence[EncodedSpan], read: Sequence[AudioTokens], answer: Tensor
    ) -> tuple[SpanUsed, ...]:
        """The spans that alone make the answer likelier than no audio does."""
        if not len(answer):
            return ()
        without = self._likelihood(unheard(read[0]), answer)
        gains: list[float] = []
        for audio in read:
            if self.stop.is_set():
                return ()
            gains.append(self._likelihood(audio, answer) - without)
        least = max(CLEARLY * max(gains), 0.0)
        used = [
            SpanUsed(span.start, span.end, gain)
            for span, gain in zip(spans, gains, strict=True)
            if gain > 0 and gain >= least
        ]
        return tuple(sorted(used, key=lambda one: -one.gain)[:MOST_USED])

    def _likelihood(self, audio: AudioTokens, answer: Tensor) -> float:
        """Nats a token."""
        with self.lock:
            inputs = self.model.assemble(audio, [self.prompt], [answer])
            return float(self.model.answer_logprobs(inputs)[inputs["labels"] != IGNORED].mean())


def unheard(audio: AudioTokens) -> AudioTokens:
    """The same without any audio."""
    return replace(audio, mask=torch.zeros_like(audio.mask))
