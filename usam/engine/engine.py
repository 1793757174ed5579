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
from usam.audio.clip import Clip, load_clip
from usam.checkpoints.fingerprint import fingerprint
from usam.checkpoints.layout import bundled
from usam.checkpoints.resolve import checkpoint_folder
from usam.config import USAMConfig
from usam.engine.memory import give_back
from usam.errors import NumericalError, RequestError
from usam.generation.fair_lock import FairLock
from usam.generation.stream import Decoding, TextStream
from usam.llm.prompts import Prompt
from usam.model.model import IGNORED, USAM, load_model
from usam.model.router_health import health
from usam.progress import Progress
from usam.quantization import Precision, choose_precision
from usam.schema.answer import Answer, ModelInfo, Timings, Turn
from usam.schema.events import Encoded, Event, TextDelta
from usam.schema.interventions import Intervention
from usam.schema.tasks import TASKS, check_question
from usam.schema.trace import AudioToken, ClipSpan, Trace

AudioSource = str | Path | bytes | tuple[int, np.ndarray] | Clip

MAX_HEARD_SECONDS = 30.0
CACHED_CLIPS = 8


@dataclass(frozen=True)
class Asked:
    """A checked request: what is asked of which clip, and how to answer.

    `judged` says which tokens are redundant to the intervention; without it the question alone does.
    """

    clip: Clip
    question: str
    task: str
    history: tuple[Turn, ...]
    decoding: Decoding
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

    def __init__(self, model: USAM, precision: Precision, checkpoint: Path, load_s: float) -> None:
        self.model = model
        self.precision = precision
        self.checkpoint = checkpoint
        self.load_s = load_s
        self.steps = model.steps  # built here, so that the first question does not wait for it
        self.model_info = describe(model, precision, checkpoint)
        self._lock = FairLock()
        self._frames: OrderedDict[str, Tensor] = OrderedDict()

    @classmethod
    def load(
        cls,
        preset: str = "mini",
        quantization: str = "nf4",
        device: str | None = None,
        checkpoint: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Engine:
        """Load the model, fetching weights that are missing.

        progress is called with a message and a share of the work. Raises UsamError.
        """
        started = time.monotonic()
        precision = choose_precision(quantization, device)
        folder = checkpoint_folder(checkpoint) if checkpoint else bundled(preset)
        model = load_model(folder, precision, progress)
        give_back()
        return cls(model, precision, folder, time.monotonic() - started)

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
        alone. Should no token be kept, the language model answers unhearing, and `Trace.unheard` says so.

        Raises UsamError.
        """
        asked_at = time.monotonic()
        text = check_question(question, task)
        decoding = Decoding(max_new_tokens, temperature, seed, TASKS[task].beams)
        clip = audio if isinstance(audio, Clip) else load_clip(audio, start, end, max_seconds)
        decode_s = time.monotonic() - asked_at
        asked = Asked(clip, text, task, tuple(history), decoding, intervention or Intervention(), judged)
        yield from self._answer(asked, asked_at, decode_s, stop or threading.Event())

    def health(self) -> dict[str, Any]:
        """Whether the router is alive: see `usam.model.router_health.health`."""
        with self._lock:
            return health(self.model, self.checkpoint)

    def recall(self, clip: Clip, answer: Answer) -> AudioTokens:
        """The audio tokens that the language model answered from, a batch of one, the dropped ones masked.

        Raises RequestError if the answer was about something else than this clip's span.
        """
        if answer.heard.sha256 != clip.sha256:
            raise RequestError("The answer was about another clip, or another span of it. Ask again first.")
        with self._lock:
            audio = self.encode(clip, answer.question, answer.intervention)
        return audio.keep([[not token.dropped for token in answer.trace.tokens]])

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
    def encode(self, clip: Clip, question: str, intervention: Intervention | None = None) -> AudioTokens:
        """All audio tokens of a clip under a question, a batch of one, routed as the intervention says.

        Frames are cached by the clip's hash.
        """
        frames = self._frames.pop(clip.sha256, None)
        if frames is None:
            frames = self.model.frames(clip.waveform)
            give_back()
        self._frames[clip.sha256] = frames  # the latest last
        if len(self._frames) > CACHED_CLIPS:
            self._frames.popitem(last=False)
        mask = torch.ones(1, len(frames), dtype=torch.bool, device=frames.device)
        forced = intervention.routing(self.config.expert_names) if intervention else None
        routing = None if forced is None else torch.tensor(forced, device=frames.device)
        audio = self.model.embed_audio(
            frames[None], mask, [self.model.prompts.build(question).question], routing
        )
        if not audio.tokens.isfinite().all():
            raise NumericalError("audio encoder or adapter")
        return audio

    def _answer(
        self, asked: Asked, asked_at: float, decode_s: float, stop: threading.Event
    ) -> Iterator[Event]:
        clip = asked.clip
        prompts = self.model.prompts
        prompt = prompts.build(asked.question, asked.history)
        with self._lock:
            encoding_at = time.monotonic()
            audio = self.encode(clip, asked.question, asked.intervention)
            trace = self.trace(clip, audio, prompt.question)
            kept = asked.intervention.kept(asked.judged or trace)
            if not all(kept):
                audio = audio.keep([kept])
                trace = self.trace(clip, audio, prompt.question)
            encode_s = time.monotonic() - encoding_at
        self._check_length(audio, prompt, asked.decoding.max_new_tokens)
        heard = ClipSpan(clip.start, clip.end, clip.duration, clip.sha256)
        yield Encoded(trace, heard)
        stream = TextStream(self.model, audio, prompt, asked.decoding, stop, self._lock)
        for piece in stream:
            yield TextDelta(piece)
        supervision = torch.cat([prompt.question, stream.ids])
        with self._lock:
            trace = replace(self.trace(clip, audio, supervision), supervised_by="question+answer")
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
            task=asked.task,
            question=asked.question,
            heard=heard,
            trace=trace,
            timings=timings,
            model=self.model_info,
            prompt=prompts.text(prompt.left) + "<audio>" + prompts.text(prompt.right),
            seed=asked.decoding.seed,
            temperature=asked.decoding.temperature,
            max_new_tokens=asked.decoding.max_new_tokens,
            stopped=not stream.complete,
            history=asked.history,
            intervention=asked.intervention,
            ids=tuple(stream.ids.tolist()),
        )

    @torch.inference_mode()
    def trace(self, clip: Clip, audio: AudioTokens, text: Tensor) -> Trace:
        """Times, routing and significance of every audio token; `text` are the ids that supervise SACLM."""
        # There is no padding in a batch of one: masked tokens were dropped, and are scored like the others.
        scores = self.model.significance(replace(audio, mask=torch.ones_like(audio.mask)), [text])
        if not scores.total.isfinite().all():
            raise NumericalError("redundancy scorer")
        threshold = self.model.adapter.saclm.threshold
        edges = token_edges(clip, audio.tokens.shape[1], self.config.token_seconds)
        words = self._words(audio)
        tokens = tuple(
            AudioToken(
                start=edges[index],
                end=edges[index + 1],
                window=index // self.config.queries_per_window,
                routing=tuple(routing),
                significance=significance,
                predictive=predictive,
                text_relevance=relevance,
                audio_saliency=saliency,
                redundant=significance <= threshold,
                word=word,
                dropped=not kept,
            )
            for index, (routing, significance, predictive, relevance, saliency, word, kept) in enumerate(
                zip(
                    audio.routing[0].tolist(),
                    scores.total[0].tolist(),
                    scores.predictive[0].tolist(),
                    scores.text_relevance[0].tolist(),
                    scores.audio_saliency[0].tolist(),
                    words,
                    audio.mask[0].tolist(),
                    strict=True,
                )
            )
        )
        return Trace(tuple(self.config.expert_names), tokens, "question", threshold)

    def _check_length(self, audio: AudioTokens, prompt: Prompt, answer_tokens: int) -> None:
        needed = len(prompt.left) + int(audio.mask.sum()) + len(prompt.right) + answer_tokens
        if needed > self.model.llm.config.max_position_embeddings:
            raise RequestError("The conversation about this clip has become too long. Start a new one.")

    def _words(self, audio: AudioTokens) -> list[str]:
        """The word piece each token is anchored to most; empty for the blank."""
        anchor = self.model.adapter.anchor
        if anchor is None or audio.logits is None:
            return [""] * audio.tokens.shape[1]
        best = audio.logits[0].argmax(-1).tolist()
        ids = anchor.token_ids.tolist()
        words = {i: self.model.prompts.text([ids[i]]) if i < len(ids) else "" for i in set(best)}
        return [words[i] for i in best]


def token_edges(clip: Clip, tokens: int, token_seconds: float) -> list[float]:
    """Where audio tokens begin and end, in seconds of the original clip: tokens + 1 edges."""
    return [*(clip.start + index * token_seconds for index in range(tokens)), clip.end]


def describe(model: USAM, precision: Precision, checkpoint: Path) -> ModelInfo:
    """Size, place and identity of a loaded model."""
    parameters = list(model.parameters())
    tensors = {tensor.data_ptr(): tensor for tensor in [*parameters, *model.buffers()]}
    return ModelInfo(
        preset=model.adapter.config.preset,
        fingerprint=fingerprint(checkpoint),
        quantization=precision.quantization,
        device=str(precision.device),
        parameters=sum(count(parameter) for parameter in parameters),
        memory_mb=round(sum(t.numel() * t.element_size() for t in tensors.values()) / 2**20, 1),
        reason=precision.reason,
    )


def count(parameter: Tensor) -> int:
    """Weights of a parameter; a packed 4-bit one holds two a byte."""
    state = getattr(parameter, "quant_state", None)
    return int(np.prod(state.shape)) if state is not None else parameter.numel()
