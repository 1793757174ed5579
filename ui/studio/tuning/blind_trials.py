"""Asks a tuned checkpoint and its parent the same, for people to compare their answers blind."""

from __future__ import annotations

import json
import logging
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from storage import Feedback, StorageError, only_process
from storage.analysis.win_rate import WinRate
from storage.annotation.blind_pairs import BlindPair, BlindPairs
from storage.export.reader import Reader
from ui.engines.pool import EnginePool
from ui.studio.clips import ClipCache
from ui.studio.session import SessionAnswer
from ui.studio.stored_answers import load_stored_answer
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoint, TunedCheckpoints
from usam.errors import RequestError, UsamError
from usam.schema.answer import Answer
from usam.training.preferences.rows import held_out

if TYPE_CHECKING:
    from usam.engine.engine import Engine

log = logging.getLogger(__name__)

FILE = "blind.json"
"""In the checkpoint's folder: the pairs that were written."""
MOST_PAIRS = 30
TRIES = 3
"""Seeds that are tried for an answer that nobody has seen."""
TEMPERATURE = 0.7
"""People have seen the likeliest answer of the parent: who knows one of two does not compare blind."""
NO_PARENT = (
    "The checkpoint that it was tuned from is not here any more, so there is nothing to compare it with."
)
NOTHING_KEPT = (
    "There is nothing to ask: no clip was kept that nothing was learned of. A fifth of the kept clips are."
)
FAILED = "The answers could not be written; the server's log says why."


@dataclass(frozen=True)
class BlindTrial:
    """pairs: to compare. same: questions to which both answer word for word the same. open: whether people
    are asked."""

    pairs: tuple[BlindPair, ...] = ()
    same: tuple[str, ...] = ()
    open: bool = True

    @property
    def asked(self) -> set[str]:
        """Ids of the answers whose questions were asked again."""
        return {*self.same, *(pair.source for pair in self.pairs)}


@dataclass(frozen=True)
class WritingState:
    """Of the trial of which checkpoint answers are being written, and how far that is, 0 to 1. ended: why
    there are none, in a sentence."""

    name: str = ""
    message: str = ""
    share: float = 0.0
    ended: str = ""

    @property
    def running(self) -> bool:
        return bool(self.name)


class Stopped(Exception):  # noqa: N818
    """The writing was asked to stop."""


@dataclass
class BlindTrials:
    """Answers are written for one checkpoint at a time, in a thread. Safe to share between threads."""

    tuned: TunedCheckpoints
    pool: EnginePool
    feedback: Feedback
    clips: ClipCache
    state: WritingState = field(default_factory=WritingState)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def stored(self) -> BlindPairs:
        return BlindPairs(self.feedback.database)

    def start(self, name: str) -> None:
        """Ask people about this checkpoint, and write what answers are missing. Raises UsamError."""
        chosen = self.tuned.get(name)
        if chosen is None:
            raise RequestError("Choose a checkpoint first.")
        with self._lock:
            if self.state.running:
                raise RequestError("Answers are being written already.")
            if self.pool.folder_of(chosen.parent) is None:
                raise RequestError(NO_PARENT)
            self._write(chosen, replace(self.trial(chosen) or BlindTrial(), open=True))
            self._stop = threading.Event()
            self.state = WritingState(name, "Starting")
            self._thread = threading.Thread(
                target=self._run, args=(chosen, self._stop), name="blind-trial", daemon=True
            )
            self._thread.start()

    def end(self, name: str) -> None:
        """Ask nobody about this checkpoint any longer; votes stay. Raises UsamError."""
        if self.state.name == name:
            self._stop.set()
            self.join()
        chosen = self.tuned.get(name)
        if chosen is not None and (trial := self.trial(chosen)):
            self._write(chosen, replace(trial, open=False))

    def join(self) -> None:
        """Wait until the writing that was begun has ended."""
        if self._thread is not None:
            self._thread.join()

    def trial(self, of: TunedCheckpoint) -> BlindTrial | None:
        """None where there was none, or its file cannot be read."""
        try:
            kept = json.loads((of.folder / FILE).read_text("utf-8"))
            pairs = tuple(BlindPair(**pair) for pair in kept["pairs"])
            return BlindTrial(pairs, tuple(map(str, kept["same"])), bool(kept["open"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("the blind trial of %s cannot be read", of.name)
            return None

    def win_rate(self, trial: BlindTrial) -> WinRate:
        """Raises StorageError."""
        return self.stored.win_rate(trial.pairs)

    def upcoming(
        self, annotator: str, without: Sequence[BlindPair] = (), page: str | None = None
    ) -> BlindPair | None:
        """A pair for this person to compare, of trials that are open and undecided. page: as for
        `BlindPairs.upcoming`. Raises StorageError."""
        for checkpoint in self.tuned.all():
            trial = self.trial(checkpoint)
            if trial is None or not trial.open or not trial.pairs or self.win_rate(trial).decided:
                continue
            if pair := self.stored.upcoming(trial.pairs, annotator, without, page):
                return pair
        return None

    def _run(self, chosen: TunedCheckpoint, stop: threading.Event) -> None:
        ended = ""
        try:
            with only_process(self.feedback.database, "blind-trial") as mine:
                if not mine:
                    raise RequestError("Another process of the app is writing answers already.")
                self._ask_both(chosen, stop)
        except Stopped:
            pass
        except (UsamError, StorageError) as error:
            ended = str(error)
        except Exception:
            log.exception("a blind trial failed")
            ended = FAILED
        with self._lock:
            self.state = WritingState(ended=ended)

    def _ask_both(self, chosen: TunedCheckpoint, stop: threading.Event) -> None:
        """First the parent, then the tuned one: they may not both fit in memory."""
        trial = self.trial(chosen) or BlindTrial()
        wanted = [id_ for id_ in self._held_out() if id_ not in trial.asked][
            : max(0, MOST_PAIRS - len(trial.pairs))
        ]
        if not wanted and not trial.pairs:
            raise RequestError(NOTHING_KEPT)
        parent = self.pool.folder_of(chosen.parent)
        if parent is None:
            raise RequestError(NO_PARENT)

        def progress(message: str, share: float) -> None:
            if stop.is_set():
                raise Stopped
            self.state = WritingState(chosen.name, message, share)

        def ask(first: float, what: str, sources: Sequence[str]) -> Callable[[Engine], list[Answer | None]]:
            def use(engine: Engine) -> list[Answer | None]:
                answers = []
                for number, source in enumerate(sources):
                    progress(
                        f"{what}: {number} of {len(sources)} questions", first + number / len(sources) / 2
                    )
                    answers.append(self._unseen(engine, source))
                return answers

            return use

        if not wanted:
            return
        old = self.pool.run_on_folder(parent, ask(0.0, "The checkpoint before", wanted), progress)
        answered = {source: answer for source, answer in zip(wanted, old, strict=True) if answer}
        if not answered:
            return
        new = self.pool.run_on_folder(chosen.folder, ask(0.5, chosen.name, list(answered)), progress)
        for (source, before), after in zip(answered.items(), new, strict=True):
            if after is None:
                continue
            if before.text.strip() == after.text.strip():
                trial = replace(trial, same=(*trial.same, source))
            else:
                pair = BlindPair(source, *self._record(source, (before, after)))
                trial = replace(trial, pairs=(*trial.pairs, pair))
            self._write(chosen, trial)

    def _held_out(self) -> list[str]:
        """Ids of kept answers about clips that nothing is learned of, in any of their copies."""
        database, sources = self.feedback.database, self.stored.sources()
        with database.read() as session:
            reader = Reader(session, database.files)
            return [id_ for id_, clip in sources if held_out(reader.first_copy(clip))]

    def _unseen(self, engine: Engine, source: str) -> Answer | None:
        """What the engine answers to the question of a stored answer, in words that nobody has seen; None
        where it knows no others, or the clip is gone."""
        try:
            entry = load_stored_answer(self.feedback, source, self.clips)
            seen = self.stored.texts(source)
        except (UsamError, StorageError) as error:
            log.info("left out of a blind trial: %s", error)
            return None
        return next((one for one in _answers(engine, entry) if one.text.strip() not in {"", *seen}), None)

    def _record(self, source: str, answers: Sequence[Answer]) -> list[str]:
        """Under nobody's name, as retries of the answer whose question it is: they go where that one goes."""
        return [
            self.feedback.record_answer(one.to_json(), annotator=None, parent=source, token_ids=one.ids)
            for one in answers
        ]

    def _write(self, of: TunedCheckpoint, trial: BlindTrial) -> None:
        """Whole or not at all."""
        file = of.folder / FILE
        part = file.with_suffix(".part")
        try:
            with part.open("w", encoding="utf-8") as lines:
                json.dump(asdict(trial), lines, indent=2)
                lines.flush()
                os.fsync(lines.fileno())
            part.replace(file)
        except OSError as error:
            raise UsamError(f"The blind trial could not be kept: {error.strerror}.") from error


def _answers(engine: Engine, entry: SessionAnswer) -> Iterator[Answer]:
    """Answers with one seed after another, to what was asked about the whole heard clip."""
    asked = entry.answer
    clip = entry.audio.get() if entry.audio else None
    if clip is None:
        return
    first = random.Random(asked.heard.sha256).randrange(2**31)
    for seed in range(first, first + TRIES):
        yield engine.ask(
            clip,
            asked.question,
            task=asked.task,
            history=asked.history,
            seed=seed,
            temperature=TEMPERATURE,
        )
