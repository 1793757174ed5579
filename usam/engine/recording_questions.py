"""Questions about whole recordings: all of it read at once if it is short, else span by span.

A language model that a checkpoint was trained with reads at once what fits into the longest clip; another one
what fits into its context. About a longer recording it is asked the same of every span, and one answer is put
together from these.
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
from usam.encoders.heads.asked_speech import speech_request
from usam.engine.recording_encoding import EncodedRecording, EncodedSpan, encode_span, read_span
from usam.engine.span_answers import combined
from usam.errors import RequestError
from usam.generation.fair_lock import FairLock
from usam.generation.repetition import RepetitionGuard
from usam.generation.sampling import SamplingParams
from usam.generation.stream import TextStream
from usam.model.model import IGNORED, USAM
from usam.schema.answer import Finish, ModelInfo, Turn
from usam.schema.events import TextDelta
from usam.schema.recording_answer import (
    RecordingAnswer,
    RecordingEvent,
    SpanAnswer,
    SpanEncoded,
    SpanUsed,
)
from usam.schema.tasks import TASKS

LONGEST_ASKED = 3 * 3600.0  # seconds of a recording that may be asked about
TRAINED_TOKENS = 375  # of the longest clip, 30 s
REMEMBERED = 300  # characters of an earlier answer: one about many spans would fill the context
CLEARLY = 0.5  # of the strongest span's gain: a span with less is none that the answer leans on
MOST_USED = 5  # spans that are named


Spans = Sequence[EncodedSpan]
Read = Sequence[AudioTokens]
"""What the language model reads of each span."""


@dataclass(frozen=True)
class RecordingQuestion:
    """A checked question about a recording."""

    question: str
    task: str
    history: tuple[Turn, ...]
    sampling: SamplingParams


@dataclass(frozen=True)
class _Found:
    text: str
    finish: Finish
    leans_on: tuple[SpanUsed, ...]
    answers: tuple[SpanAnswer, ...] = ()


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
        history = [replace(turn, answer=turn.answer[:REMEMBERED]) for turn in asked.history]
        self.prompt = model.prompts.build(asked.question, history)
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
        found: _Found | None
        if self._at_once(tokens):
            found = yield from self._read_at_once(spans, read)
        else:
            found = yield from self._read_span_by_span(spans, read)
        if found is None:
            return
        yield RecordingAnswer(
            text=found.text,
            question=self.asked.question,
            task=self.asked.task,
            way="span by span" if found.answers else "whole",
            leans_on=found.leans_on,
            span_answers=found.answers,
            duration=recording.duration,
            tokens=tokens,
            context=self.context,
            encode_s=encoded_at - began,
            answer_s=time.monotonic() - encoded_at,
            model=self.info,
            seed=self.asked.sampling.seed,
            temperature=self.asked.sampling.temperature,
            finish=found.finish,
            history=self.asked.history,
        )

    def _encode(self, source: AudioSource, recording: EncodedRecording) -> Iterator[SpanEncoded]:
        """Encode what is not encoded yet; others who ask about the same recording may do so in turn."""
        request = speech_request(self.asked.task, self.asked.question)
        while not (recording.complete or self.stop.is_set()):
            span = next(recording_spans(source, recording.end))
            if span.duration > LONGEST_ASKED:
                hours = LONGEST_ASKED / 3600
                raise RequestError(f"Questions can be asked about recordings of up to {hours:g} hours.")
            with self.lock:
                if recording.end == span.start:
                    recording.spans.append(encode_span(self.model, span, request))
                    recording.duration = span.duration
            yield SpanEncoded(recording.end, recording.duration)

    def _read_at_once(self, spans: Spans, read: Read) -> Generator[RecordingEvent, None, _Found]:
        stream = self._stream(joined(read), self.asked.sampling.max_new_tokens)
        for piece in stream:
            yield TextDelta(piece)
        leans_on = self._used(spans, read, [stream.ids] * len(spans))
        return _Found(stream.text(), stream.finish, leans_on)

    def _read_span_by_span(self, spans: Spans, read: Read) -> Generator[RecordingEvent, None, _Found | None]:
        """None: stopped."""
        task, most = TASKS[self.asked.task], self.asked.sampling.max_new_tokens
        answers: list[SpanAnswer] = []
        streams: list[TextStream] = []
        for span, audio in zip(spans, read, strict=True):
            streams.append(self._stream(audio, task.most_tokens(most, span.end - span.start)))
            for _ in streams[-1]:
                pass
            if self.stop.is_set():
                return None
            answers.append(SpanAnswer(span.start, span.end, streams[-1].text()))
            yield answers[-1]
        text, supporting = combined(self.asked.question, self.asked.task, answers)
        yield TextDelta(text)
        used = [at for at, one in enumerate(answers) if one in supporting][:MOST_USED]
        leans_on = self._used(
            [spans[at] for at in used], [read[at] for at in used], [streams[at].ids for at in used]
        )
        finish: Finish = next((one.finish for one in streams if one.finish != "end"), "end")
        return _Found(text, finish, leans_on, tuple(answers))

    def _at_once(self, audio_tokens: int) -> bool:
        trained = self.model.space is None
        return not (trained and audio_tokens > TRAINED_TOKENS) and self._fits(
            audio_tokens, self.asked.sampling.max_new_tokens
        )

    def _fits(self, audio_tokens: int, answer_tokens: int) -> bool:
        wanted = len(self.prompt.left) + audio_tokens + len(self.prompt.right) + answer_tokens
        return wanted <= self.context

    def _stream(self, audio: AudioTokens, most: int) -> TextStream:
        if not self._fits(int(audio.mask.sum()), most):
            raise RequestError("The conversation about this recording has become too long. Start a new one.")
        sampling = replace(self.asked.sampling, max_new_tokens=most)
        guard = RepetitionGuard(lambda token: self.model.prompts.text([token]))
        return TextStream(self.model, audio, self.prompt, sampling, self.stop, self.lock, guard)

    @torch.inference_mode()
    def _used(self, spans: Spans, read: Read, answers: Sequence[Tensor]) -> tuple[SpanUsed, ...]:
        """The spans that alone make their answers likelier than no audio does."""
        gains: list[float] = []
        judged: Tensor | None = None
        for audio, answer in zip(read, answers, strict=True):
            if self.stop.is_set() or not len(answer):
                return ()
            if answer is not judged:
                without, judged = self._likelihood(unheard(audio), answer), answer
            gains.append(self._likelihood(audio, answer) - without)
        least = max([0.0, *(CLEARLY * gain for gain in gains)])
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
