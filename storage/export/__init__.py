"""Turns people's ratings into files: tables to look at, preference data to train on.

Everything streams in bounded memory, and files appear in the folder only once all are complete.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from storage.database.connection import Database
from storage.database.membership import project_key
from storage.errors import plain_errors
from storage.export.audit import Audit
from storage.export.reader import Reader, RowsRead
from storage.export.tables import audiofolder, csv, parquet
from storage.export.training import dpo, kto, llama_factory, preferences, reward, spans, swift
from storage.ratings.validation import DIMENSIONS

FORMATS: dict[str, tuple[Callable[[Reader, Path, Audit], None], tuple[str, ...]]] = {
    "csv": (csv.write, csv.FILES),
    "parquet": (parquet.write, parquet.FILES),
    "dpo": (dpo.write, dpo.FILES),
    "kto": (kto.write, kto.FILES),
    "reward": (reward.write, reward.FILES),
    "ms-swift": (swift.write_pairs, swift.FILES),
    "ms-swift-kto": (swift.write_labels, swift.FILES),
    "llama-factory": (llama_factory.write_pairs, llama_factory.FILES),
    "llama-factory-kto": (llama_factory.write_labels, llama_factory.FILES),
    "spans": (spans.write, spans.FILES),
    "preferences": (preferences.write, preferences.FILES),
    "audiofolder": (audiofolder.write, audiofolder.FILES),
}
AUDIT = "audit.json"


def export(
    database: Database,
    format: str,
    out: str | Path,
    *,
    audit: bool = False,
    dimensions: Collection[str] = DIMENSIONS,
    project: str | None = None,
) -> Audit:
    """Write one of FORMATS into the folder `out`; with `audit` also `audit.json`.

    project: the name of the one whose items alone are exported; by default all answers are.
    dimensions: what answers are scored on. Tables have a column for each that was, and for the most used of
    others; scores on the rest are left out, and counted in the audit.

    csv: `csv.FILES`; parquet: the same tables.  audiofolder: folders `train` and `test` with the kept clips
    and `metadata.jsonl`.  The others: `train.jsonl`, `test.jsonl`.  Splits are by the hash of the audio,
    copies of a clip on one side; one without rows has no file.  Earlier files of these names are replaced.

    Returns what was read, written and dropped, and why. Raises StorageError (NotFoundError: no such project),
    KeyError (no such format).
    """
    names = (*FORMATS[format][1], AUDIT)
    if format == "audiofolder":
        audiofolder.check(Path(out))
    with plain_errors(), database.read() as session:
        key = project_key(session, project) if project else None  # before anything is replaced
        reader = Reader(session, database.files, dimensions=dimensions, project=key)
        with _complete(Path(out), names) as folder:
            return _write(reader, format, folder, audit=audit)


def pack(
    database: Database,
    format: str,
    file: Path,
    progress: RowsRead | None = None,
    dimensions: Collection[str] = DIMENSIONS,
    project: str | None = None,
) -> Audit:
    """Write one of FORMATS with its audit into the zip archive `file`, to be used on another machine: the
    kept clips of its rows go along, in a folder `audio` that the rows name.
    dimensions, project: as for `export`.

    Returns the audit, biases measured. Raises StorageError, KeyError (no such format), and whatever
    `progress` raises.
    """
    with plain_errors(), tempfile.TemporaryDirectory(dir=file.parent, prefix=".export-") as scratch:
        folder = Path(scratch)
        with database.read() as session:
            key = project_key(session, project) if project else None
            reader = Reader(
                session,
                database.files,
                bundled=True,
                progress=progress,
                dimensions=dimensions,
                project=key,
            )
            done = _write(reader, format, folder, audit=True)
        with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for made in sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size):
                archive.write(made, made.relative_to(folder))
                reader.count_read(0)  # packing can be cancelled as well
    return done


def _write(reader: Reader, format: str, folder: Path, *, audit: bool) -> Audit:
    done = Audit(format)
    FORMATS[format][0](reader, folder, done)
    if audit:
        done.measure_people(reader)
        (folder / AUDIT).write_text(json.dumps(done.to_json(), indent=2) + "\n", "utf-8")
    return done


@contextmanager
def _complete(out: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """A scratch folder whose files move to `out` when the block ends well."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as scratch:
        folder = Path(scratch)
        yield folder
        for name in names:
            made, place = folder / name, out / name
            if place.is_dir():
                shutil.rmtree(place)
            if made.exists() and made.stat().st_size:
                made.replace(place)
            else:
                place.unlink(missing_ok=True)
