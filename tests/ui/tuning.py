"""A command in the place of `usam tune`, for the tests of what runs it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from storage import open_database
from ui.settings import Settings
from ui.studio.tuning.teaching import Teaching
from ui.studio.tuning.tuned_checkpoints import TunedCheckpoints
from usam.checkpoints.fingerprint import fingerprint
from usam.checkpoints.layout import bundled

RECORD = {
    "parent": "f00d",
    "rows": {"counts": {"comparison": 12, "thumb": 3}, "dropped": {"audio not kept": 2}},
    "before": {"right": 0, "pairs": 10, "accuracy": 0.0, "interval": [0.0, 0.28], "likelier_share": 0.4},
    "after": {"right": 9, "pairs": 10, "accuracy": 0.9, "interval": [0.6, 0.98], "likelier_share": 0.8},
    "kept": {
        "questions": 64,
        "right_before": 60,
        "right_after": 59,
        "change": -0.0156,
        "interval": [-0.05, 0.02],
    },
    "evaluation": {
        "parent": {"questions": {"value": 0.61, "interval": [0.55, 0.67], "clips": 120}},
        "tuned": {"questions": {"value": 0.6, "interval": [0.54, 0.66], "clips": 120}},
        "fallen": [],
    },
    "refused": "",
}
EXAMPLES = {
    "answers": [
        {"clip": "a" * 64, "question": "Which bird?", "before": "A finch.", "after": "A finch."},
        {"clip": "b" * 64, "question": "What is it?", "before": "A dog or a cat.", "after": "A dog."},
    ]
}
COUNTED = {
    "counts": {"comparison": 12, "thumb": 3},
    "dropped": {"audio not kept": 2},
    "annotators": {"a": 15},
}
_SCRIPT = f"""
import argparse, json, os, pathlib, signal, sys
parser = argparse.ArgumentParser()
for name in ("data", "output", "work", "checkpoint", "gate"):
    parser.add_argument("--" + name, type=pathlib.Path)
parser.add_argument("--preset")
parser.add_argument("--count", action="store_true")
parser.add_argument("--json", action="store_true")
given = parser.parse_args()
if (given.data / "fails").exists():
    print("usam: There is nothing to learn from.", file=sys.stderr)
    sys.exit(2)
if given.count:
    print({json.dumps(json.dumps(COUNTED))})
    sys.exit(0)
(given.work / "export").mkdir()
(given.work / "reached").touch()
print("reference: 4 of 8 answers", file=sys.stderr, flush=True)
if (given.data / "waits").exists():
    open(given.data / "waits", "w").close()  # until somebody reads
    signal.pause()
record = json.loads({json.dumps(json.dumps(RECORD))})
record |= {{"checkpoint": str(given.checkpoint), "gate": str(given.gate)}}
record["parent"] = "f00d" if given.checkpoint else PARENT
if (given.data / "refuses").exists():
    record["refused"] = "Nothing was learned."
given.output.mkdir()
(given.output / "config.json").write_text(json.dumps({{"name": given.output.name}}))
(given.output / "tuning.json").write_text(json.dumps(record))
(given.output / "answers.json").write_text({json.dumps(json.dumps(EXAMPLES))})
sys.exit(3 if record["refused"] else 0)
"""


def fake_command(folder: Path) -> list[str]:
    """Counts, tunes and writes a checkpoint at once. Files in the data folder say otherwise: `fails` and
    `refuses`, and `waits`, which `let_it_wait` makes."""
    script = folder / "tune.py"
    script.write_text(_SCRIPT.replace("PARENT", repr(fingerprint(bundled("mini")))))
    return [sys.executable, str(script)]


def teaching_in(settings: Settings) -> Teaching:
    """With the fake command."""
    settings.data.mkdir(exist_ok=True)
    tuned = TunedCheckpoints(settings.data, settings.preset)
    database = open_database(settings.database_url)
    return Teaching(settings, tuned, database, fake_command(settings.data))


def let_it_wait(data: Path) -> None:
    """The next run does not end by itself."""
    os.mkfifo(data / "waits")


def wait_until_under_way(data: Path) -> None:
    """Until the run that does not end by itself has begun."""
    (data / "waits").open().close()


def add_tuned(tuned: TunedCheckpoints, **changes: Any) -> Path:
    """A checkpoint as a run leaves it."""
    folder = tuned.new_folder()
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"name": folder.name}))
    (folder / "tuning.json").write_text(json.dumps(RECORD | changes))
    (folder / "answers.json").write_text(json.dumps(EXAMPLES))
    return folder
