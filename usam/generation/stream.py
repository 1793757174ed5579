"""Streaming decode: an answer in a thread of its own, its text piece by piece, stopped at any token."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import TextIteratorStreamer

from usam.adapter.tokens import AudioTokens
from usam.generation.beam_search import Beams
from usam.generation.fair_lock import FairLock
from usam.generation.repetition import RepetitionGuard
from usam.generation.sampling import SamplingParams
from usam.llm.backend import KVCache, TopLogits
from usam.llm.prompts import Prompt
from usam.model.model import USAM
from usam.schema.answer import Finish
from usam.threads import use_cores


@dataclass
class TextStream:
    """Iterate for pieces of text; `ids`, `finish` and the times are there once the iteration has ended.

    An answer that begins to repeat itself ends there, cut as `guard` says; without one it goes on.

    The decoding thread holds `lock` for one token at a time, the reader never does: answers at once share the
    model evenly, and a reader who stops reading keeps nobody waiting, because pieces queue up without bound.
    """

    model: USAM
    audio: AudioTokens
    prompt: Prompt
    sampling: SamplingParams
    stop: threading.Event = field(default_factory=threading.Event)
    lock: FairLock = field(default_factory=FairLock)
    guard: RepetitionGuard | None = None
    ids: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    first_token_at: float = 0.0
    finished_at: float = 0.0
    repeats: bool = False

    def __iter__(self) -> Iterator[str]:
        streamer = TextIteratorStreamer(self.model.tokenizer, skip_special_tokens=True)
        abandoned = threading.Event()
        failure: list[BaseException] = []

        def decode() -> None:
            ids: list[int] = []
            shown = 0
            try:
                for token in self._tokens(abandoned):
                    self.first_token_at = self.first_token_at or time.monotonic()
                    ids.append(token)
                    if self.guard and (kept := self.guard.cut(ids)) is not None:
                        self.repeats = True
                        del ids[kept:]
                        break
                    settled = self.guard.settled(ids) if self.guard else len(ids)
                    for ready in ids[shown:settled]:
                        streamer.put(torch.tensor([ready]))
                    shown = max(shown, settled)
                for left in ids[shown:]:
                    streamer.put(torch.tensor([left]))
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
            # Also when the reader goes away in the middle: never leave a thread decoding without a reader.
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

    @property
    def finish(self) -> Finish:
        """Why the answer ended."""
        if self.repeats:
            return "repetition"
        if self.complete:
            return "end"
        return "length" if len(self.ids) >= self.sampling.max_new_tokens else "stop"

    def text(self) -> str:
        return self.model.prompts.text(self.ids, control=False).strip()

    def _tokens(self, abandoned: threading.Event) -> Iterator[int]:
        """Ids of the answer, the end among them, until it ends or nobody wants it any more."""
        with self.lock:
            if self._over(abandoned):
                return
            inputs = self.model.assemble(self.audio, [self.prompt])
            candidates, cache = self.model.steps.prefill(
                inputs["inputs_embeds"], self.sampling.max_new_tokens, self.sampling.top
            )
        # A step is hundreds of operations of some microseconds: handing halves of them to a second core,
        # and waking it each time, takes longer than it saves.
        use_cores(1)
        if self.sampling.beams > 1 and self.sampling.temperature == 0:
            yield from self._searched(candidates, cache, abandoned)
        else:
            yield from self._chosen(candidates, cache, abandoned)

    def _chosen(self, candidates: TopLogits, cache: KVCache, abandoned: threading.Event) -> Iterator[int]:
        """One token after another."""
        generator = torch.Generator(self.model.device).manual_seed(self.sampling.seed)
        for wanted in reversed(range(self.sampling.max_new_tokens)):
            token = self.sampling.sample(candidates, generator)
            yield token
            if token == self.model.prompts.end_id or not wanted or self._over(abandoned):
                return
            with self.lock:
                candidates = self.model.steps.step([token], cache)

    def _searched(self, candidates: TopLogits, cache: KVCache, abandoned: threading.Event) -> Iterator[int]:
        """Tokens of the best hypothesis, each as soon as no other is possible."""
        beams = Beams(self.sampling.beams, self.model.prompts.end_id)
        cache = cache.expand(len(beams.advance(candidates)))
        shown = 0
        while not beams.finished and len(beams.running[0].ids) < self.sampling.max_new_tokens:
            agreed = beams.agreed()
            yield from agreed[shown:]
            shown = len(agreed)
            if self._over(abandoned):
                return
            with self.lock:
                candidates = self.model.steps.step([one.ids[-1] for one in beams.running], cache)
                cache.reorder(beams.advance(candidates))
        yield from beams.best.ids[shown:]

    def _over(self, abandoned: threading.Event) -> bool:
        return self.stop.is_set() or abandoned.is_set()
