"""ZeroGPU Spaces: a GPU for as long as one answer takes, in a process of its own.

The `spaces` package, which Spaces installs, runs what `spaces.GPU` decorates in a fork of the app: models are
there, arguments and results are pickled, and an event that is set here is not set there. So answers
are written there, with a stop that both see, and everything else (what-if, deletion test, replay) is computed
here, by a second engine on the CPU.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from ctypes import c_bool
from typing import TYPE_CHECKING, Any, cast

from usam.errors import RequestError, UsamError
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from usam.engine.engine import Engine
    from usam.schema.events import Event

LOAN_SECONDS = 20  # asked for each answer; one takes a few
WORKER_ERROR = "ZeroGPU worker error"  # how `spaces` titles unexpected errors; all others are for the visitor
Decorate = Callable[..., Any]


def lends_gpu(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a ZeroGPU Space: it says so, and the package that lends the GPU is there."""
    says = environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
    return says and importlib.util.find_spec("spaces") is not None


class SharedStops:
    """Flags that a fork of this process sees as well, one for each answer under way. Make it before forks."""

    def __init__(self, count: int) -> None:
        self._flags = multiprocessing.get_context("fork").RawArray(c_bool, count)
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(count):
            self._free.put(number)

    def take(self) -> int:
        """The number of a flag that is not set; waits for one. Give it back."""
        number = self._free.get()
        self._flags[number] = False
        return number

    def give_back(self, number: int) -> None:
        self._free.put(number)

    def set(self, number: int) -> None:
        self._flags[number] = True

    def is_set(self, number: int) -> bool:
        return bool(self._flags[number])


class _Stop:
    """One of the flags, as the engine asks for it."""

    def __init__(self, stops: SharedStops, number: int) -> None:
        self.is_set = lambda: stops.is_set(number)


class LendingEngine:
    """An engine whose answers are written on the GPU that is lent. In all else it is `here`."""

    def __init__(
        self, here: Engine, lent: Engine, decorate: Decorate, at_once: int, refusal: type[Exception]
    ) -> None:
        """here: on the CPU.  lent: on the GPU.  decorate: `spaces.GPU`.  at_once: most answers at a time.
        refusal: what `spaces` raises where it lends no GPU, `gradio.Error`."""
        self._refusal = refusal
        self._here = here
        self._stops = stops = SharedStops(at_once)

        def write(number: int, audio: Any, question: str | None, options: dict[str, Any]) -> Iterator[Any]:
            stop = cast(threading.Event, _Stop(stops, number))
            try:
                yield from lent.stream(audio, question, stop=stop, **options)
            except UsamError as error:
                yield error  # raised in the other process, it would arrive without its sentence

        self._write = decorate(duration=LOAN_SECONDS)(write)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._here, name)

    def stream(
        self,
        audio: Any,
        question: str | None = None,
        *,
        stop: threading.Event | None = None,
        **options: Any,
    ) -> Iterator[Event]:
        """As `Engine.stream`. Raises RequestError as well where no GPU is lent: the quota is used up, say."""
        number = self._stops.take()
        try:
            for event in self._write(number, audio, question, options):
                if isinstance(event, UsamError):
                    raise event
                if stop is not None and stop.is_set():
                    self._stops.set(number)
                yield event
        except self._refusal as error:
            if getattr(error, "title", "") == WORKER_ERROR:
                raise
            raise RequestError(str(getattr(error, "message", error))) from error
        finally:
            self._stops.set(number)
            self._stops.give_back(number)


def load_lending(
    preset: str,
    quantization: str,
    at_once: int,
    refusal: type[Exception],
    progress: ProgressCallback,
    llm: str | None = None,
) -> Engine:
    """Both engines; to be called before the app is launched, when `spaces` packs what is on the GPU.

    llm: answers instead of the preset's language model, on both. Raises UsamError.
    """
    import spaces  # before torch

    from usam.engine.engine import Engine

    here = Engine.load(preset, quantization, device="cpu", progress=progress, llm=llm)
    # Unquantised: a GPU has the room, and nothing of bitsandbytes has to outlive the packing.
    lent = Engine.load(preset, "none", device="cuda", llm=llm)
    return cast(Engine, LendingEngine(here, lent, spaces.GPU, at_once, refusal))
