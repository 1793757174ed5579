"""Streaming decode: transformers' `generate` in a thread, its text piece by piece, stopped at any token."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

from usam.adapter import AudioTokens
from usam.errors import RequestError
from usam.model import USAM
from usam.prompts import Prompt

MAX_NEW_TOKENS = 512
_PATIENCE = 0.05  # seconds between looks at whether a waiting answer is still wanted


@dataclass(frozen=True)
class Decoding:
    """How to decode. Temperature 0 is greedy, and then the seed changes nothing."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.max_new_tokens <= MAX_NEW_TOKENS:
            raise RequestError(f"An answer can have 1 to {MAX_NEW_TOKENS} tokens.")
        if not 0 <= self.temperature <= 2:
            raise RequestError("The temperature has to be between 0 and 2.")

    def options(self) -> dict[str, Any]:
        """The same as options of transformers' `generate`."""
        options: dict[str, Any] = {"max_new_tokens": self.max_new_tokens, "do_sample": bool(self.temperature)}
        return options | ({"temperature": self.temperature} if self.temperature else {})


class _Stopped(StoppingCriteria):
    def __init__(self, *events: threading.Event) -> None:
        self.events = events

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        stopped = any(event.is_set() for event in self.events)
        return torch.full((len(input_ids),), stopped, dtype=torch.bool, device=input_ids.device)


@dataclass
class TextStream:
    """Iterate for pieces of text; `ids` and the times are there once the iteration has ended.

    The decoding thread holds `lock`, never the reader: one who stops reading keeps nobody waiting, because
    pieces queue up without bound and an answer ends after `max_new_tokens` at the latest.
    """

    model: USAM
    audio: AudioTokens
    prompt: Prompt
    decoding: Decoding
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ids: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    first_token_at: float = 0.0
    finished_at: float = 0.0

    def __iter__(self) -> Iterator[str]:
        streamer = _TimedStreamer(self.model.tokenizer, skip_prompt=True, skip_special_tokens=True)
        abandoned = threading.Event()
        failure: list[BaseException] = []

        def decode() -> None:
            try:
                if self._wait_for_turn(abandoned):
                    try:
                        self.ids = self._generate(streamer, abandoned)
                    finally:
                        self.lock.release()
            except BaseException as error:
                failure.append(error)
            finally:
                streamer.end()

        worker = threading.Thread(target=decode, name="usam-decode", daemon=True)
        worker.start()
        try:
            yield from (piece for piece in streamer if piece)
        finally:
            # Also when the reader goes away in the middle: never leave a thread decoding for nobody.
            abandoned.set()
            worker.join()
        self.finished_at = time.monotonic()
        self.first_token_at = streamer.first_token_at or self.finished_at
        if failure:
            raise failure[0]

    @property
    def complete(self) -> bool:
        """Whether the model ended the answer itself."""
        return bool(len(self.ids)) and int(self.ids[-1]) == self.model.prompts.end_id

    def text(self) -> str:
        return self.model.prompts.text(self.ids, control=False).strip()

    def _wait_for_turn(self, abandoned: threading.Event) -> bool:
        """Take the lock; False if nobody wants the answer any more."""
        while not self.lock.acquire(timeout=_PATIENCE):
            if self.stop.is_set() or abandoned.is_set():
                return False
        return True

    def _generate(self, streamer: TextIteratorStreamer, abandoned: threading.Event) -> Tensor:
        torch.manual_seed(self.decoding.seed)
        return self.model.respond(
            self.audio,
            [self.prompt],
            **self.decoding.options(),
            streamer=streamer,
            stopping_criteria=StoppingCriteriaList([_Stopped(self.stop, abandoned)]),
        )[0].cpu()


class _TimedStreamer(TextIteratorStreamer):
    first_token_at = 0.0

    def put(self, value: Tensor) -> None:
        if not self.next_tokens_are_prompt and not self.first_token_at:
            self.first_token_at = time.monotonic()
        super().put(value)
