"""Which audio tokens a word of an answer depended on, found by occlusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import torch

from usam.errors import RequestError
from usam.progress import ProgressCallback

if TYPE_CHECKING:
    from usam.audio.clip import Clip
    from usam.engine.engine import Engine
    from usam.schema.answer import Answer


SHOWN = 3
"""Spans of a word in the table."""


@dataclass(frozen=True)
class Word:
    """A word of an answer; `first` to `last` (exclusive) are its tokens among `Answer.ids`."""

    text: str
    first: int
    last: int


@dataclass(frozen=True)
class Attribution:
    """How much every word of an answer depends on every audio token.

    words: of the answer.  scores: for each word a number for each audio token of `answer.trace`, in nats:
    how much of the word's log-probability goes when the token does. Negative: the word is likelier without.
    """

    answer: Answer
    words: tuple[Word, ...]
    scores: tuple[tuple[float, ...], ...]
    method: str = "occlusion"

    def spans(self, scores: Sequence[float]) -> list[tuple[float, float, float]]:
        """A word's scores by span: start and end in seconds of the clip, and nats; the largest first.
        Neighbours that were occluded together share a score, and are one span."""
        runs = []
        pairs = zip(self.answer.trace.tokens, scores, strict=True)
        for score, group in groupby(pairs, key=lambda pair: pair[1]):
            tokens = [token for token, _ in group]
            runs.append((tokens[0].start, tokens[-1].end, score * len(tokens)))
        return sorted(runs, key=lambda run: -run[2])

    def table(self) -> str:
        """For a terminal: a line a word, with the spans that it depended on most."""
        lines = []
        for word, scores in zip(self.words, self.scores, strict=True):
            best = [f"{start:.2f}-{end:.2f} s {nats:+.3f}" for start, end, nats in self.spans(scores)[:SHOWN]]
            lines.append(f"{word.text:20}  {'   '.join(best)}")
        return "\n".join(
            [*lines, "In nats, by occlusion: what a word's log-probability loses without the span."]
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "tokens": [{"start": token.start, "end": token.end} for token in self.answer.trace.tokens],
            "words": [
                {"text": word.text, "scores": list(scores)}
                for word, scores in zip(self.words, self.scores, strict=True)
            ],
        }


def attribute(
    engine: Engine,
    clip: Clip,
    answer: Answer,
    group: int = 1,
    progress: ProgressCallback | None = None,
) -> Attribution:
    """Drop `group` neighbouring audio tokens at a time and see how much less likely each word becomes.

    One run serves every word: each pass scores the whole answer, a word given the words before it. It takes a
    pass for every group, the engine free for others between them, so a larger group is faster and coarser;
    its tokens share the group's score evenly. `progress` gets a message and the share done, and may raise to
    give up. Works in every precision: gradients do not, because 4-bit kernels on CPU have none.

    A group of one window (`queries_per_window` tokens) is a good choice for long clips.

    Limits. Tokens that say the same stand in for each other, and then none of them scores. Effects of tokens
    together are not seen, so the scores need not sum to anything. Dropping a token moves the later ones up by
    one position, and the language model computes in bfloat16: scores of a few tenths of a nat may be noise.
    It shows what this model relied on, not what is true of the sound. Tokens an intervention dropped score 0.

    Raises RequestError if the answer is empty or about another clip.
    """
    if group < 1:
        raise RequestError("Tokens are occluded in groups of at least 1.")
    audio = engine.audio_tokens_of(clip, answer)
    whole = engine.score(audio, answer, answer.ids).logprobs
    tokens = audio.length
    effects = torch.zeros(len(answer.ids), tokens)
    for first in range(0, tokens, group):
        occluded = torch.zeros_like(audio.token_mask)
        occluded[:, first : first + group] = True
        occluded &= audio.token_mask
        if occluded.any():
            left = engine.score(audio.keep(~occluded), answer, answer.ids).logprobs
            effects[:, occluded[0].cpu()] = ((whole - left) / int(occluded.sum()))[:, None]
        if progress is not None:
            progress("Dropping audio tokens in turn", min(1.0, (first + group) / tokens))
    words = split(engine, answer)
    scores = tuple(tuple(effects[word.first : word.last].sum(0).tolist()) for word in words)
    return Attribution(answer, words, scores)


def split(engine: Engine, answer: Answer) -> tuple[Word, ...]:
    """An answer's words with their tokens: a word begins at every token that begins with white space.

    The mark that ends an answer is no word.
    """
    prompts, words = engine.model.prompts, []
    ids = [index for index in answer.ids if index != prompts.end_id]
    starts = [place for place, index in enumerate(ids) if not place or prompts.text([index])[:1].isspace()]
    for first, last in zip(starts, [*starts[1:], len(ids)], strict=True):
        text = prompts.text(ids[first:last], control=False).strip()
        if text:
            words.append(Word(text, first, last))
    return tuple(words)
