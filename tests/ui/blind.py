"""An app with tiny models whose tuned checkpoint is compared blind with its parent."""

import hashlib
import threading
from dataclasses import replace
from pathlib import Path

from storage import Feedback, open_database
from storage.annotation.blind_pairs import BlindPair
from tests import tiny
from tests.serving import settings_in
from tests.shelf import Shelf
from tests.ui.tuning import add_tuned
from ui.engines.loader import EngineLoader
from ui.engines.pool import EnginePool
from ui.studio.service import Studio, heard_file
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoint
from usam.audio.clip import Clip
from usam.audio.samples import pcm16
from usam.checkpoints.fingerprint import fingerprint
from usam.engine.engine import Engine
from usam.training.preferences.rows import held_out


def tiny_clip(seed: int) -> Clip:
    """As it is heard after it was kept as 16 bits."""
    made = tiny.clip(0.4, seed=seed)
    return replace(made, sha256=hashlib.sha256(pcm16(made.waveform.numpy()).tobytes()).hexdigest())


HELD = [seed for seed in range(60) if held_out(tiny_clip(seed).sha256)][:3]
"""Seeds of clips that nothing is learned of."""
LEARNED = next(seed for seed in range(60) if not held_out(tiny_clip(seed).sha256))


def ask(feedback: Feedback, engine: Engine, seed: int, *, keep: bool = True) -> str:
    """Asks about a clip, whose audio is kept."""
    clip = tiny_clip(seed)
    answer = engine.ask(clip, "What?", max_new_tokens=4)
    with heard_file(clip) as file:
        return feedback.record_answer(
            answer.to_json(), annotator="asker", audio_path=file if keep else None, token_ids=answer.ids
        )


class BlindApp:
    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder)
        self.shelf = Shelf(folder / "checkpoints")
        own = tiny.engine(self.shelf.add("own"))
        loader = EngineLoader(lambda progress: own)
        for _ in loader.wait(threading.Event()):
            pass
        pool = EnginePool(loader, [self.shelf.folder], self.shelf.load)
        self.studio = Studio(loader, Feedback(open_database(settings.database_url)), settings, pool)
        made = add_tuned(self.studio.tuned, parent=fingerprint(self.shelf.folder / "own"))
        found = self.studio.tuned.get(made.name)
        assert found is not None
        self.tuned: TunedCheckpoint = found

    def ask(self, seed: int, *, keep: bool = True) -> str:
        return ask(self.studio.feedback, self.studio.loader.engine, seed, keep=keep)

    def run(self, name: str = "") -> None:
        """Write the answers of a trial."""
        self.studio.blind_trials.start(name or self.tuned.name)
        self.studio.blind_trials.join()

    def pairs(self) -> tuple[BlindPair, ...]:
        trial = self.studio.blind_trials.trial(self.tuned)
        assert trial is not None
        return trial.pairs
