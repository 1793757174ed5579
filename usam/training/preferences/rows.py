"""Reads what people preferred from the files of an export: pairs, thumbs and marked stretches.

Takes the `preferences` format of `python -m storage export`, which says who judged what and how, and the
`dpo`, `kto` and `spans` formats, which do not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from usam.errors import RequestError
from usam.schema.answer import Turn
from usam.schema.tasks import TASKS

FILES = ("train.jsonl", "test.jsonl")
PAIRS = ("comparison", "scores", "correction", "pair")
"""Kinds of evidence that prefer one answer to another; `pair` is that of an export that does not say more."""
KINDS = (*PAIRS, "thumb", "tokens", "spans")
HELD_SHARE = 0.2  # of the clips


@dataclass(frozen=True)
class Asked:
    """A question about a kept clip, after earlier turns about it. clip: names what is heard."""

    audio: Path
    clip: str
    question: str
    task: str = "qa"
    turns: tuple[Turn, ...] = ()

    @property
    def held_out(self) -> bool:
        """Whether nothing is learned of the clip: its hash says so, for all of an export's test split too."""
        return held_out(self.clip)


def held_out(clip: str) -> bool:
    """Whether nothing is learned of a clip. clip: the hash of what is heard, or another name."""
    known = re.fullmatch("[0-9a-f]{64}", clip)
    digest = clip if known else hashlib.sha256(clip.encode()).hexdigest()
    return int(digest[:8], 16) < HELD_SHARE * 2**32


@dataclass(frozen=True)
class Pair:
    """Of two answers the one that people prefer. weight: 0 to 1, less where they disagree."""

    asked: Asked
    chosen: str
    rejected: str
    evidence: str
    weight: float = 1.0
    annotators: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Thumb:
    """An answer alone, and whether people want such answers."""

    asked: Asked
    answer: str
    desirable: bool
    weight: float = 1.0
    annotators: frozenset[str] = frozenset()
    evidence: str = "thumb"


@dataclass(frozen=True)
class Mark:
    """A stretch of the clip, in seconds of the kept audio, and whether it mattered to the answer."""

    start: float
    end: float
    mattered: bool


@dataclass(frozen=True)
class Marks:
    """What one person marked in the clip of an answer."""

    asked: Asked
    answer: str
    marks: tuple[Mark, ...]
    evidence: str
    weight: float = 1.0
    annotators: frozenset[str] = frozenset()


Row = Pair | Thumb | Marks
OneRow = TypeVar("OneRow", Pair, Thumb)


@dataclass(frozen=True)
class Preferences:
    """What there is to learn from, and what was left out: rows by reason."""

    pairs: Sequence[Pair] = ()
    thumbs: Sequence[Thumb] = ()
    marks: Sequence[Marks] = ()
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> list[Row]:
        return [*self.pairs, *self.thumbs, *self.marks]

    @property
    def counts(self) -> dict[str, int]:
        """Rows by kind of evidence."""
        counted = Counter(row.evidence for row in self.rows)
        return {kind: counted[kind] for kind in KINDS if counted[kind]}

    @property
    def annotators(self) -> list[str]:
        """Hashes of the people whose judgements are learned from, as far as the export names them."""
        return list(self.by_annotator)

    @property
    def by_annotator(self) -> dict[str, int]:
        """How many rows each of these people's judgements are in."""
        return dict(sorted(Counter(person for row in self.rows for person in row.annotators).items()))

    @property
    def fingerprint(self) -> str:
        """A hash of the rows, whatever their order and wherever the audio is kept."""
        lines = sorted(json.dumps(_plain(row), sort_keys=True) for row in self.rows)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def __str__(self) -> str:
        """A line for each kind of row, and for each reason to leave rows out."""
        lines = [f"learn {count:>7,}  {kind}" for kind, count in self.counts.items()]
        lines += [f"drop  {count:>7,}  {reason}" for reason, count in sorted(self.dropped.items())]
        return "\n".join(lines) or "There is nothing to learn from."


def read_preferences(
    folder: Path,
    weights: Mapping[str, float] = {},
    without: Collection[str] = (),
) -> Preferences:
    """Read both splits of an export.

    weights: of kinds of evidence, 1 where it says nothing; rows of weight 0 are left out. without: hashes of
    annotators whose judgements are left out. Judgements of the same answers are put together: the majority
    counts, less the more of them contradict it, and not at all where both sides are as strong.
    Raises RequestError if there is no export in the folder, or a line of it cannot be read.
    """
    files = [folder / name for name in FILES if (folder / name).is_file()]
    if not files:
        raise RequestError(f"There is no export in {folder.name!r}: it has neither {' nor '.join(FILES)}.")
    dropped: Counter[str] = Counter()
    rows = []
    for row in (row for file in files for row in _read(file)):
        if row.annotators & set(without):
            dropped["left out by annotator"] += 1
        elif not weights.get(row.evidence, 1.0):
            dropped["left out by kind"] += 1
        elif not row.asked.audio.is_file():
            dropped["audio not kept"] += 1
        else:
            rows.append(replace(row, weight=row.weight * weights.get(row.evidence, 1.0)))
    pairs = list(_settled([row for row in rows if isinstance(row, Pair)], dropped))
    thumbs = list(_settled([row for row in rows if isinstance(row, Thumb)], dropped))
    return Preferences(pairs, thumbs, [row for row in rows if isinstance(row, Marks)], +dropped)


def _settled(rows: Iterable[OneRow], dropped: Counter[str]) -> Iterator[OneRow]:
    """Judgements of the same answers as one."""
    groups: dict[Any, list[OneRow]] = defaultdict(list)
    for row in rows:
        texts = {row.chosen, row.rejected} if isinstance(row, Pair) else {row.answer}
        groups[row.asked, frozenset(texts)].append(row)
    for same in groups.values():
        sides: dict[Any, list[OneRow]] = defaultdict(list)
        for row in same:
            sides[row.chosen if isinstance(row, Pair) else row.desirable].append(row)
        ordered = sorted(sides.values(), key=lambda side: sum(row.weight for row in side))
        strongest = ordered.pop()
        wanted, against = (
            sum(row.weight for row in strongest),
            sum(row.weight for side in ordered for row in side),
        )
        if wanted == against:
            dropped["contradicting"] += len(same)
            continue
        dropped["contradicting"] += sum(len(side) for side in ordered)
        dropped["of the same answers"] += len(strongest) - 1
        people = frozenset[str]().union(*(row.annotators for row in strongest))
        weight = (wanted - against) / (wanted + against) * max(row.weight for row in strongest)
        yield replace(strongest[0], weight=weight, annotators=people)


def _read(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield _row(json.loads(line), file.parent)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                raise RequestError(
                    f"Line {number} of {file.name} is no row of preferences that can be learned from."
                ) from error


def _row(row: Mapping[str, Any], folder: Path) -> Row:
    asked = _asked(row, folder)
    about: dict[str, Any] = {
        "weight": float(row.get("weight", 1.0)),
        "annotators": frozenset({row["annotator"]} if "annotator" in row else ()),
    }
    if "chosen" in row:
        evidence = row.get("evidence", "pair")
        if evidence not in PAIRS:
            raise ValueError(evidence)
        return Pair(asked, _text(row["chosen"]), _text(row["rejected"]), evidence, **about)
    answer = _text(row["completion"])
    if "label" in row:
        return Thumb(asked, answer, bool(row["label"]), **about)
    if "marks" in row:
        marks = tuple(Mark(float(m["start"]), float(m["end"]), bool(m["mattered"])) for m in row["marks"])
        return Marks(asked, answer, marks, row["evidence"], **about)
    spans = [span for span in row["spans"] if span["label"] in ("missed", "mattered")]
    marks = tuple(Mark(float(span["start"]), float(span["end"]), True) for span in spans)
    return Marks(asked, answer, marks, "spans", **about)


def _asked(row: Mapping[str, Any], folder: Path) -> Asked:
    *earlier, last = [message["content"] for message in row["prompt"]]
    turns = tuple(Turn(*pair) for pair in zip(earlier[::2], earlier[1::2], strict=True))
    kept = row.get("audios") or [""]
    audio = folder / kept[0] if kept[0] else Path()
    task = row.get("task", "qa")
    if task not in TASKS:
        raise ValueError(task)
    return Asked(audio, row.get("clip") or audio.stem, last, task, turns)


def _text(content: Any) -> str:
    """The text of an answer, or of the one message that holds it."""
    text = content if isinstance(content, str) else content[-1]["content"]
    if not isinstance(text, str):
        raise TypeError(text)
    return text


def _plain(row: Row) -> dict[str, Any]:
    """The row as JSON, without where the audio is."""
    plain = asdict(row) | {"annotators": sorted(row.annotators), "row": type(row).__name__}
    del plain["asked"]["audio"]
    return plain
