"""TRL's conversational KTO format: `{"prompt": [...], "completion": [...], "label": bool}`, with `audios`.

Rows come from thumbs, and from pairs of which both answers are bad: two undesirable rows. A preference or a
tie does not judge one answer alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage.database.schema import Comparison, Rating
from storage.export.audit import Audit
from storage.export.reader import Prompt, Reader, reply
from storage.export.training.jsonl import FILES, write_splits

__all__ = ["FILES", "labelled", "write"]

MOST_IMBALANCE = 4 / 3  # weight x count, desirable to undesirable, that TRL's KTO guide allows


def write(reader: Reader, folder: Path, audit: Audit) -> None:
    samples = (
        (prompt, {**prompt.to_json(), "completion": reply(text), "label": label})
        for prompt, text, label in labelled(reader, audit)
    )
    write_splits(samples, folder, audit)


def labelled(reader: Reader, audit: Audit) -> Iterator[tuple[Prompt, str, bool]]:
    """(the prompt, an answer, whether it is desirable), each once; the audit learns of the rest, and of
    the balance."""
    thumbs = reader.ratings_by(Rating.thumb)
    winners = reader.comparisons_by(Comparison.winner)
    audit.read.update(ratings=thumbs.total(), comparisons=winners.total())
    audit.dropped.update(
        withdrawn=reader.withdrawn(),
        no_thumb=thumbs[None],
        neutral=thumbs[0],
        tie=winners["tie"],
        preference=winners["a"] + winners["b"],
    )
    labels = {True: 0, False: 0}
    for verdict in reader.verdicts():
        label, text = verdict.net > 0, verdict.reply.text
        if verdict.net == 0:
            audit.dropped["contradicting"] += verdict.votes
        elif not text.strip():
            audit.dropped["empty"] += verdict.votes
        elif label and not verdict.reply.finished:
            audit.dropped["unfinished"] += verdict.votes
        else:
            audit.dropped["duplicate"] += verdict.votes - 1
            labels[label] += 1
            yield verdict.prompt, text, label
    if any(labels.values()):
        audit.findings["balance"] = _balance(labels[True], labels[False])


def _balance(desirable: int, undesirable: int) -> dict[str, Any]:
    """Counts, and the weights that bring their ratio within the range KTO's guide recommends; none for one
    class."""
    found: dict[str, Any] = {"desirable": desirable, "undesirable": undesirable}
    if desirable and undesirable:
        ratio = desirable / undesirable
        found["desirable_weight"] = round(1 / ratio, 4) if ratio < 1 else 1.0
        found["undesirable_weight"] = round(ratio, 4) if ratio > MOST_IMBALANCE else 1.0
    return found
