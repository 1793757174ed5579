"""The engine: loads U-SAM once, answers questions about clips, and is safe to share between threads."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from usam.adapter.tokens import AudioTokens
from usam.adapter.words import PlacedWord
from usam.audio.clip import Clip, load_clip
from usam.checkpoints.resolve import checkpoint_folder
from usam.config import USAMConfig
from usam.encoders.heads.asked_speech import speech_request
from usam.engine.memory import release_memory
from usam.engine.provenance import describe
from usam.engine.recording import hear_recording
from usam.engine.recording_encoding import RecordingCache
from usam.engine.recording_questions import RecordingQuestion, RecordingReader
from usam.engine.tracing import trace_tokens
from usam.errors import NumericalError, RequestError
from usam.generation.fair_lock import FairLock
from usam.generation.repetition import RepetitionGuard
from usam.generation.sampling import SamplingParams
from usam.generation.stream import TextStream
from usam.llm.prompts import Prompt
from usam.model.listening import Hearing
from usam.model.loading import preset_checkpoint
from usam.model.model import IGNORED, USAM, load_model
from usam.model.router_health import router_health
from usam.progress import ProgressCallback
from usam.quantization import Precision, choose_precision
from usam.schema.answer import Answer, Timings, Turn
from usam.schema.events import Encoded, Event, TextDelta
from usam.schema.interventions import DropRandom, DropRedundant, Intervention, KeepRedundant
from usam.schema.recording_answer import RecordingEvent
from usam.schema.segments import RecordingPart
from usam.schema.tasks import TASKS, SpeechTask, check_question
from usam.schema.trace import ClipSpan, Trace

AudioSource = str | Path | bytes | tuple[int, np.ndarray] | Clip

MAX_HEARD_SECONDS = 30.0
CACHED_CLIPS = 8


@dataclass(frozen=True)
class EngineRequest:
    """A checked request: what is asked of which clip, and how to answer.

    `judged` says which tokens are redundant to the intervention; without it the question alone does.
    """

    clip: Clip
    question: str
    task: str
    history: tuple[Turn, ...]
    sampling: SamplingParams
    intervention: Intervention
    judged: Trace | None


@dataclass(frozen=True)
class Score:
    """Log-probabilities [N] of a text's tokens in nats, and the seconds it took the LLM to read it all."""

    logprobs: Tensor
    seconds: float

    @property
    def mean(self) -> float:
        """Nats per token."""
        return float(self.logprobs.mean())


class Engine:
    """One model and a lock. `stream` yields events as they happen, `ask` returns the finished answer.

    The lock is held while something is computed, never while the caller looks at an event.
    """

    def __init__(
        self, model: USAM, precision: Precision, checkpoint: Path, load_s: float, llm: str | None = None
    ) -> None:
        self.model = model
        self.precision = precision
        self.checkpoint = checkpoint
        self.load_s = load_s
        self.steps = model.steps  # built here, so that the first question does not wait for it
        self.model_info = describe(model, precision, checkpoint, llm)
        self._lock = FairLock()
        self._heard: OrderedDict[str, Hearing] = OrderedDict()
        self._recordings = RecordingCache()

    @classmethod
    def load(
        cls,
        preset: str = "mini",
        quantization: str = "nf4",
        device: str | None = None,
        checkpoint: str | Path | None = None,
        progress: ProgressCallback | None = None,
        llm: str | None = None,
    ) -> Engine:
        """Load the model, fetching weights that are missing.

        llm: a folder or an `owner/name` on the hub; answers instead of the preset's language model.
        progress is called with a message and a share of the work. Raises UsamError.
        """
        started = time.monotonic()
        precision = choose_precision(quantization, device)
        folder = checkpoint_folder(checkpoint) if checkpoint else preset_checkpoint(preset)
        model = load_model(folder, precision, progress, llm)
        release_memory()
        return cls(model, precision, folder, time.monotonic() - started, llm)

    @property
    def config(self) -> USAMConfig:
        return self.model.adapter.config

    def ask(self, audio: AudioSource, question: str | None = None, **options: Any) -> Answer:
        """The finished answer; takes what `stream` takes."""
        *_, answer = self.stream(audio, question, **options)
        assert isinstance(answer, Answer)
        return answer

    def stream(
        self,
        audio: AudioSource,
        question: str | None = None,
        *,
        task: str = "qa",
        start: float | None = None,
        end: float | None = None,
        history: Sequence[Turn] = (),
        seed: int = 0,
        temperature: float = 0.0,
        max_new_tokens: int = 128,
        stop: threading.Event | None = None,
        max_seconds: float = MAX_HEARD_SECONDS,
        intervention: Intervention | None = None,
        judged: Trace | None = None,
    ) -> Generator[Event, None, None]:
        """Answer a question about a clip: first `Encoded`, then `TextDelta`s, at last the `Answer`.

        Without a question the task's own prompt is asked. `start` and `end` (s) choose the span that is
        heard. Setting `stop` ends the answer at the next token.

        An intervention changes the audio tokens before the language model gets them. Which are redundant to
        it is read off `judged`, a trace of the same clip; without one, off SACLM's scores under the question
        alone. Should no token be kept, the language model answers without
        audio, and `Trace.without_audio` is true.

        Raises UsamError.
        """
        asked_at = time.monotonic()
        text = check_question(question, task)
        sampling = SamplingParams(max_new_tokens, temperature, seed, TASKS[task].beams)
        clip = audio if isinstance(audio, Clip) else load_clip(audio, start, end, max_seconds)
        decode_s = time.monotonic() - asked_at
        request = EngineRequest(
            clip, text, task, tuple(history), sampling, intervention or Intervention(), judged
        )
        yield from self._answer(request, asked_at, decode_s, stop or threading.Event())

    def transcribe(
        self,
        recording: str | Path | bytes,
        task: SpeechTask = "transcribe",
        stop: threading.Event | None = None,
        after: RecordingPart | None = None,
    ) -> Iterator[RecordingPart]:
        """What is said in a recording of any length, when, and where sounds and music are heard.

        Yields part after part, as it is heard: see `usam.engine.recording.hear_recording`. `after` is the
        last part that was heard before: what follows it is heard. Raises UsamError.
        """
        return hear_recording(self.model, self._lock, recording, task, stop or threading.Event(), after)

    def ask_recording(
        self,
        recording: str | Path | bytes,
        question: str | None = None,
        *,
        task: str = "qa",
        history: Sequence[Turn] = (),
        seed: int = 0,
        temperature: float = 0.0,
        max_new_tokens: int = 128,
        stop: threading.Event | None = None,
    ) -> Iterator[RecordingEvent]:
        """Answer a question about a whole recording: see `usam.engine.recording_questions`.

        First a `SpanEncoded` for each span that was not encoded for an earlier question, then `SpanAnswer`s
        if the recording is too long to be read at once, `TextDelta`s, at last the `RecordingAnswer`. Setting
        `stop` ends it; without an answer, if none was begun, but what is encoded stays. Raises UsamError.
        """
        text = check_question(question, task)
        sampling = SamplingParams(max_new_tokens, temperature, seed, TASKS[task].beams)
        asked = RecordingQuestion(text, task, tuple(history), sampling)
        reader = RecordingReader(self.model, self._lock, self.model_info, asked, stop or threading.Event())
        return reader.answer(recording, self._recordings.of(recording, speech_request(task, text)))

    def health(self) -> dict[str, Any]:
        """Whether the router is alive: see `usam.model.router_health`."""
        with self._lock:
            return router_health(self.model, self.checkpoint)

    def audio_tokens_of(self, clip: Clip, answer: Answer, every: bool = False) -> AudioTokens:
        """The audio tokens that the language model answered from, a batch of one, the dropped ones masked.

        `every`: those too that it did not read. Raises RequestError if the answer was about something else
        than this clip's span.
        """
        if answer.heard.sha256 != clip.sha256:
            raise RequestError("The answer was about another clip, or another span of it. Ask again first.")
        with self._lock:
            audio = self.encode(clip, answer.question, answer.intervention, answer.task)
        return audio if every else audio.keep([[not token.dropped for token in answer.trace.tokens]])

    @torch.inference_mode()
    def score(self, audio: AudioTokens, answer: Answer, ids: Sequence[int]) -> Score:
        """How likely the token ids are as an answer to what `answer` was asked, after these audio tokens.

        Raises RequestError if there is nothing to score or it is too long, NumericalError.
        """
        if not ids:
            raise RequestError("There is no answer to measure. Ask again and let the answer begin.")
        prompt = self.model.prompts.build(answer.question, answer.history)
        self._check_length(audio, prompt, len(ids))
        with self._lock:
            started = time.monotonic()
            inputs = self.model.assemble(audio, [prompt], [torch.tensor(ids)])
            logprobs = self.model.answer_logprobs(inputs)[inputs["labels"] != IGNORED].cpu()
            if not logprobs.isfinite().all():
                raise NumericalError("language model")
            return Score(logprobs, time.monotonic() - started)

    @torch.inference_mode()
    def encode(
        self, clip: Clip, question: str, intervention: Intervention | None = None, task: str = "qa"
    ) -> AudioTokens:
        """All audio tokens of a clip under a question, a batch of one, routed as the intervention says.

        The encoders' output is cached by the clip's hash.
        """
        request = speech_request(task, question)
        hearing = self._heard.pop(clip.sha256, None)
        if hearing is None:
            hearing = self.model.hear(clip.waveform, request)
            release_memory()
        self._heard[clip.sha256] = hearing  # the latest last
        if len(self._heard) > CACHED_CLIPS:
            self._heard.popitem(last=False)
        frames = hearing.frames
        mask = torch.ones(1, len(frames), dtype=torch.bool, device=frames.device)
        forced = intervention.routing(self.config.expert_names) if intervention else None
        routing = None if forced is None else torch.tensor(forced, device=frames.device)
        asked = [self.model.prompts.build(question).question]
        placed: tuple[PlacedWord, ...] = ()
        words = None
        if self.model.word_streams:
            placed = self.model.place_words(hearing, request, question)
            words = self.model.word_grid(placed, len(frames))
        audio = replace(self.model.embed_audio(frames[None], mask, asked, routing, words), placed=placed)
        if not audio.tokens.isfinite().all():
            raise NumericalError("audio encoder or adapter")
        return audio

    def _answer(
        self, request: EngineRequest, asked_at: float, decode_s: float, stop: threading.Event
    ) -> Iterator[Event]:
        clip = request.clip
        prompts = self.model.prompts
        prompt = prompts.build(request.question, request.history)
        with self._lock:
            encoding_at = time.monotonic()
            audio = self.encode(clip, request.question, request.intervention, request.task)
            trace = trace_tokens(self.model, clip, audio, prompt.question)
            # What is redundant to an intervention about redundancy may be judged by an answer; else as
            # always.
            about_flags = isinstance(request.intervention, DropRedundant | KeepRedundant | DropRandom)
            kept = request.intervention.kept(request.judged if request.judged and about_flags else trace)
            if not all(kept):
                audio = audio.keep([kept])
                trace = trace_tokens(self.model, clip, audio, prompt.question)
            encode_s = time.monotonic() - encoding_at
        self._check_length(audio, prompt, request.sampling.max_new_tokens)
        heard = ClipSpan(clip.start, clip.end, clip.duration, clip.sha256, clip.gain_db, clip.tracks)
        yield Encoded(trace, heard)
        most = TASKS[request.task].most_tokens(request.sampling.max_new_tokens, clip.end - clip.start)
        sampling = replace(request.sampling, max_new_tokens=most)
        guard = RepetitionGuard(lambda token: prompts.text([token]))
        stream = TextStream(self.model, audio, prompt, sampling, stop, self._lock, guard)
        for piece in stream:
            yield TextDelta(piece)
        supervision = torch.cat([prompt.question, stream.ids])
        with self._lock:
            trace = replace(
                trace_tokens(self.model, clip, audio, supervision), supervised_by="question+answer"
            )
        decoding_s = max(stream.finished_at - stream.first_token_at, 1e-6)
        timings = Timings(
            load_s=self.load_s,
            decode_s=decode_s,
            encode_s=encode_s,
            first_token_s=max(0.0, stream.first_token_at - asked_at),
            tokens_per_s=max(0, len(stream.ids) - 1) / decoding_s,
            answer_tokens=len(stream.ids),
        )
        yield Answer(
            text=stream.text(),
            task=request.task,
            question=request.question,
            heard=heard,
            trace=trace,
            timings=timings,
            model=self.model_info,
            prompt=prompts.text(prompt.left) + "<audio>" + prompts.text(prompt.right),
            seed=request.sampling.seed,
            temperature=request.sampling.temperature,
            max_new_tokens=request.sampling.max_new_tokens,
            stopped=not stream.complete,
            history=request.history,
            intervention=request.intervention,
            ids=tuple(stream.ids.tolist()),
            finish=stream.finish,
        )

    def _check_length(self, audio: AudioTokens, prompt: Prompt, answer_tokens: int) -> None:
        needed = len(prompt.left) + int(audio.mask.sum()) + len(prompt.right) + answer_tokens
        if needed > self.model.llm.config.max_position_embeddings:
            raise RequestError("The conversation about this clip has become too long. Start a new one.")
