"""Streaming decode: an answer in a thread of its own, its text piece by piece, stopped at any token."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import TextIteratorStreamer

from usam.adapter import AudioTokens
from usam.errors import RequestError
from usam.llama import Candidates
from usam.model import USAM
from usam.prompts import Prompt
from usam.turns import FairLock

MAX_NEW_TOKENS = 512


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

    def choose(self, candidates: Candidates, generator: torch.Generator) -> int:
        """The id of the likeliest candidate, or of one drawn at the temperature."""
        if self.temperature == 0:
            return int(candidates.ids[candidates.logits.argmax()])
        odds = (candidates.logits.float() / self.temperature).softmax(-1)
        return int(candidates.ids[torch.multinomial(odds, 1, generator=generator)])


@dataclass
class TextStream:
    """Iterate for pieces of text; `ids` and the times are there once the iteration has ended.

    The decoding thread holds `lock` for one token at a time, the reader never does: answers at once share the
    model evenly, and a reader who stops reading keeps nobody waiting, because pieces queue up without bound.
    """

    model: USAM
    audio: AudioTokens
    prompt: Prompt
    decoding: Decoding
    stop: threading.Event = field(default_factory=threading.Event)
    lock: FairLock = field(default_factory=FairLock)
    ids: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    first_token_at: float = 0.0
    finished_at: float = 0.0

    def __iter__(self) -> Iterator[str]:
        streamer = TextIteratorStreamer(self.model.tokenizer, skip_special_tokens=True)
        abandoned = threading.Event()
        failure: list[BaseException] = []

        def decode() -> None:
            ids = []
            try:
                for token in self._tokens(abandoned):
                    self.first_token_at = self.first_token_at or time.monotonic()
                    ids.append(token)
                    streamer.put(torch.tensor([token]))
            except BaseException as error:
                failure.append(error)
            finally:
                self.ids = torch.tensor(ids, dtype=torch.long)
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
        self.first_token_at = self.first_token_at or self.finished_at
        if failure:
            raise failure[0]

    @property
    def complete(self) -> bool:
        """Whether the model ended the answer itself."""
        return bool(len(self.ids)) and int(self.ids[-1]) == self.model.prompts.end_id

    def text(self) -> str:
        return self.model.prompts.text(self.ids, control=False).strip()

    def _tokens(self, abandoned: threading.Event) -> Iterator[int]:
        """Ids of the answer, the end among them, until it ends or nobody wants it any more."""
        generator = torch.Generator(self.model.device).manual_seed(self.decoding.seed)
        end, wanted = self.model.prompts.end_id, self.decoding.max_new_tokens
        with self.lock:
            if self.stop.is_set() or abandoned.is_set():
                return
            inputs = self.model.assemble(self.audio, [self.prompt])
            candidates, cache = self.model.steps.prefill(inputs["inputs_embeds"], wanted)
        _compute_alone()
        while True:
            token = self.decoding.choose(candidates, generator)
            yield token
            wanted -= 1
            if token == end or not wanted or self.stop.is_set() or abandoned.is_set():
                return
            with self.lock:
                candidates = self.model.steps.step(token, cache)


def _compute_alone() -> None:
    """Keep this thread's arithmetic on one core.

    A step is hundreds of operations of some microseconds: handing halves of them to a second core, and
    waking it each time, takes longer than it saves. PyTorch's setting also is the default of threads that
    start later, where encoding gains by more cores; one of those puts the default back.
    """
    cores = torch.get_num_threads()
    if cores > 1:
        torch.set_num_threads(1)
        restoring = threading.Thread(target=torch.set_num_threads, args=(cores,))
        restoring.start()
        restoring.join()
