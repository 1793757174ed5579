"""TRL's conversational DPO format: `{"prompt": [...], "chosen": [...], "rejected": [...]}`, with `audios`.

Pairs come from corrections (preferred to the answer they correct), from comparisons, and from thumbs up
against thumbs down on the same input. Where people disagree on two texts, the majority's pair is written.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from storage.export.audit import Audit
from storage.export.reader import Prompt, Reader, Reply, Verdict, reply
from storage.export.training.jsonl import FILES, TextSet, TextTally, write_splits

__all__ = ["FILES", "Pair", "pairs", "write"]

MOST_WAITING = 1000  # judged answers to one input that may wait for a counterpart


@dataclass(frozen=True)
class Pair:
    prompt: Prompt
    chosen: Reply
    rejected: Reply

    def flaw(self) -> str | None:
        """Why the pair must not be trained on."""
        chosen, rejected = self.chosen.text.strip(), self.rejected.text.strip()
        if chosen == rejected:
            return "identical"
        if plain(chosen) == plain(rejected):
            return "alike"
        if not chosen or not rejected:
            return "empty"
        return None if self.chosen.finished else "unfinished"


def plain(text: str) -> str:
    """A text without what makes no preference: its case, its spacing and a full stop at its end."""
    return " ".join(text.casefold().split()).removesuffix(".").rstrip()


def write(reader: Reader, folder: Path, audit: Audit) -> None:
    samples = (
        (
            pair.prompt,
            {
                **pair.prompt.to_json(),
                "chosen": reply(pair.chosen.text),
                "rejected": reply(pair.rejected.text),
            },
        )
        for pair in pairs(reader, audit)
    )
    write_splits(samples, folder, audit)


def pairs(reader: Reader, audit: Audit) -> Iterator[Pair]:
    """Every pair that can be trained on, once; the audit learns of the rest, and of the lengths."""
    audit.dropped["withdrawn"] = reader.withdrawn()
    kept = longer = chosen_length = rejected_length = 0
    with closing(TextSet()) as seen, closing(TextTally()) as votes:
        for pair in _pairs(reader, Audit(audit.format)):
            if pair.flaw() is None:
                votes.add(*_vote(pair))
        for pair in _pairs(reader, audit):
            chosen, rejected = pair.chosen.text, pair.rejected.text
            side, *texts = _vote(pair)
            if flaw := pair.flaw():
                audit.dropped[flaw] += 1
            elif side * votes.total(*texts) <= 0:
                audit.dropped["contradicting"] += 1
            elif not seen.add(pair.prompt.input_hash, chosen, rejected):
                audit.dropped["duplicate"] += 1
            else:
                kept += 1
                longer += len(chosen) > len(rejected)
                chosen_length += len(chosen)
                rejected_length += len(rejected)
                yield pair
    if kept:
        audit.findings["length"] = {
            "chosen_longer": round(longer / kept, 4),
            "mean_chosen_characters": round(chosen_length / kept, 1),
            "mean_rejected_characters": round(rejected_length / kept, 1),
        }


def _vote(pair: Pair) -> tuple[int, str, str, str]:
    """Which of two texts is preferred, 1 for the first of them in order, and what it is about."""
    chosen, rejected = plain(pair.chosen.text), plain(pair.rejected.text)
    first, second = sorted((chosen, rejected))
    return (1 if chosen == first else -1), pair.prompt.input_hash, first, second


def _pairs(reader: Reader, audit: Audit) -> Iterator[Pair]:
    for prompt, answer, correction in reader.corrections():
        audit.read["corrections"] += 1
        yield Pair(prompt, Reply(correction, finished=True), answer)
    for vote in reader.comparisons():
        audit.read["comparisons"] += 1
        if vote.winner in ("tie", "both_bad"):
            audit.dropped[vote.winner] += 1
        else:
            chosen, rejected = (vote.a, vote.b) if vote.winner == "a" else (vote.b, vote.a)
            yield Pair(vote.prompt, chosen, rejected)
    for _, verdicts in groupby(reader.verdicts(), key=lambda verdict: verdict.prompt.input_hash):
        yield from _thumb_pairs(verdicts, audit)


def _thumb_pairs(verdicts: Iterator[Verdict], audit: Audit) -> Iterator[Pair]:
    """Pair each liked answer to an input with one disliked; every answer is used once at most, so that
    pairs grow with the answers and not with their square."""
    liked: deque[Reply] = deque()
    disliked: deque[Reply] = deque()
    for verdict in verdicts:
        audit.read["answers judged by thumb"] += 1
        if verdict.net == 0:
            audit.dropped["contradicting"] += 1
            continue
        if verdict.net > 0 and not verdict.reply.finished:
            audit.dropped["unfinished"] += 1  # here, so as not to use up a counterpart
            continue
        waiting = liked if verdict.net > 0 else disliked
        if len(waiting) == MOST_WAITING:
            audit.dropped["unpaired"] += 1
            continue
        waiting.append(verdict.reply)
        if liked and disliked:
            yield Pair(verdict.prompt, liked.popleft(), disliked.popleft())
    audit.dropped["unpaired"] += len(liked) + len(disliked)
