"""Lets a tuned checkpoint answer in the place of the one that answered so far, and takes that back."""

from __future__ import annotations

import logging
import threading

from storage import StorageError
from ui.engines.loader import EngineLoader
from ui.engines.pool import EnginePool, fingerprint_of
from ui.engines.zerogpu import lends_gpu
from ui.studio.tuning.shared_checkpoints import SharedCheckpoints
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoints
from usam.checkpoints.layout import bundled
from usam.errors import RequestError, UsamError
from usam.progress import ProgressCallback

log = logging.getLogger(__name__)


class Promotion:
    """New questions go to the new checkpoint once it is loaded; those being answered end on the old one. The
    choice holds for later starts as well. Safe to share between threads."""

    def __init__(
        self,
        loader: EngineLoader,
        pool: EnginePool,
        tuned: TunedCheckpoints,
        llm: str | None = None,
        shared: SharedCheckpoints | None = None,
    ) -> None:
        """llm: the language model that answers instead of the preset's, which nothing can be tuned for.
        shared: brings checkpoints to other machines and from them."""
        self.shared = shared
        self._known: list[str] | None = None
        """Those that were promoted when `follow` last looked."""
        self.loader = loader
        self.pool = pool
        self.tuned = tuned
        self.llm = llm
        self._lock = threading.Lock()

    def unavailable(self) -> str:
        """Why nothing can be taught here; empty where it can."""
        if self.llm:
            return (
                "USAM_LLM names another language model. Ratings teach the preset's own one alone, so that "
                "nothing that was promoted answers now."
            )
        if lends_gpu():
            return "The model of a Space that lends its GPU cannot be changed while it runs."
        return ""

    def promote(self, name: str, progress: ProgressCallback, *, refused: bool = False) -> None:
        """Let the tuned checkpoint of that name answer. refused: also one whose tuning was refused. Raises
        UsamError, and then the old one still answers."""
        with self._lock:
            self._require_available()
            chosen = self.tuned.get(name)
            if chosen is None:
                raise RequestError("Choose a checkpoint first.")
            if chosen.folder == self.tuned.serving():
                raise RequestError(f"{name} answers already.")
            if chosen.refused and not refused:
                raise RequestError(f"{name} was refused. {chosen.refused}")
            self.pool.replace_own(chosen.folder, progress)
            self.tuned.add_promoted(name)
            self._publish()

    def roll_back(self, progress: ProgressCallback) -> str:
        """Let the checkpoint before the last promotion answer again; returns its name. Works as well where
        the promoted one cannot be loaded. Raises UsamError."""
        with self._lock:
            self._require_available()
            promoted = self.tuned.promoted()
            if not promoted:
                raise RequestError("Nothing was promoted: the preset's own checkpoint answers.")
            before = promoted[-2] if len(promoted) > 1 else None
            if self.loader.state.ready:
                folder = self.tuned.folder / before if before else bundled(self.tuned.preset)
                self.pool.replace_own(folder, progress)
            elif not self.loader.state.error:
                raise RequestError("The model is still loading. Try again in a moment.")
            self.tuned.remove_promoted(promoted[-1])
            self._publish()
            self.loader.start()  # again, where the promoted one failed to load
            return before or self.tuned.preset

    def follow(self) -> None:
        """Let the checkpoint answer that another process promoted since this was last called, or take its
        promotion back. Raises UsamError, StorageError."""
        with self._lock:
            if self.shared:
                self.shared.fetch()
            before, self._known = self._known, self.tuned.promoted()
            if before in (None, self._known) or self.unavailable():
                return
            if not self.loader.state.ready:
                self._known = before  # once there is an engine
                return
            folder = self.tuned.serving() or bundled(self.tuned.preset)
            log.info("another process chose %s to answer", folder.name)
            self.pool.replace_own(folder, lambda step, share: None)

    def _publish(self) -> None:
        self._known = self.tuned.promoted()
        if self.shared:
            try:
                self.shared.publish_promoted()
            except StorageError as error:
                raise UsamError(f"It answers here, but other machines are not told: {error}") from error

    def names(self) -> dict[str, str]:
        """What the checkpoints that are here are called, by fingerprint. Of those with the same weights, the
        first is named: one from which nothing was learned is its parent."""
        places = reversed(self.pool.checkpoints().items())
        return {fingerprint_of(folder): name for name, folder in places}

    def _require_available(self) -> None:
        if reason := self.unavailable():
            raise RequestError(reason)
