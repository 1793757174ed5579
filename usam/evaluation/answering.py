"""Many questions at once, along the model's own path: encode every clip once, answer in padded batches.

A batch computes what single questions compute, up to rounding: padding is masked, but sums run in another
order, which now and then decides between two tokens that are almost as likely. Of 72 answers 72 were the same
with the LLM in bfloat16, 68 in NF4, whose kernel for a single row is another one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from usam.adapter.tokens import AudioTokens
from usam.encoders import Encoder
from usam.encoders.frames import align
from usam.evaluation.clips import TestClip
from usam.evaluation.questions import Question
from usam.model.model import USAM
from usam.schema.tasks import TASKS

BATCH_QUESTIONS = 32
BATCH_SECONDS = 240.0  # of audio, padding included
Report = Callable[[str], None]
Listen = Callable[[Tensor, Tensor, Sequence[Tensor]], AudioTokens]
"""What `USAM.embed_audio` does: frames [B, T, D], mask [B, T] and the questions' ids to audio tokens."""


@dataclass(frozen=True)
class Reply:
    """An answer: its text and token ids with the end mark, and the routing [L, E] of the clip's tokens."""

    text: str
    ids: Tensor
    routing: Tensor


class Frames:
    """Encoder frames of clips, each encoded once; at the encoders' own rates an hour takes 0.6 GB."""

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        self.encoders = encoders
        self._streams: dict[TestClip, list[Tensor]] = {}

    @torch.inference_mode()
    def streams(self, clip: TestClip) -> list[Tensor]:
        """Frames [T_i, D_i] of every encoder."""
        if clip not in self._streams:
            self._streams[clip] = [encoder.frames(clip.waveform) for encoder in self.encoders]
        return self._streams[clip]

    def aligned(self, clip: TestClip) -> Tensor:
        """U [T, D] of a clip, as `USAM.frames` gives it."""
        rates = [encoder.frame_rate for encoder in self.encoders]
        return align(self.streams(clip), rates, len(clip.waveform))

    def encode(self, clips: Sequence[TestClip], report: Report) -> None:
        """Encode all clips now, telling how far it is."""
        for index, clip in enumerate(clips, 1):
            self.streams(clip)
            if index % 100 == 0 or index == len(clips):
                report(f"encoded {index} of {len(clips)} clips")


@torch.inference_mode()
def ask(
    model: USAM,
    frames: Frames,
    questions: Sequence[Question],
    report: Report = lambda message: None,
    listen: Listen | None = None,
) -> list[Reply]:
    """Answers to the questions, in their order, nothing drawn. `listen` stands in for `USAM.embed_audio`."""
    replies: dict[int, Reply] = {}
    for batch in batches(questions):
        asked = [questions[index] for index in batch]
        replies |= zip(batch, answer(model, frames, asked, listen or model.embed_audio), strict=True)
        if len(replies) // 200 > (len(replies) - len(batch)) // 200 or len(replies) == len(questions):
            report(f"answered {len(replies)} of {len(questions)} questions")
    return [replies[index] for index in range(len(questions))]


def batches(questions: Sequence[Question]) -> Iterator[list[int]]:
    """Indices of questions of similar length, so that little is padding, decoded alike."""

    def decoding(index: int) -> tuple[int, int]:
        return questions[index].max_new_tokens, TASKS[questions[index].task].beams

    batch: list[int] = []
    for index in sorted(range(len(questions)), key=lambda i: (decoding(i), questions[i].clip.seconds)):
        beams, seconds = TASKS[questions[index].task].beams, questions[index].clip.seconds
        full = len(batch) == BATCH_QUESTIONS or (len(batch) + 1) * seconds * beams > BATCH_SECONDS
        if batch and (full or decoding(batch[0]) != decoding(index)):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def answer(model: USAM, frames: Frames, questions: Sequence[Question], listen: Listen) -> Iterable[Reply]:
    """The replies to one batch, which is decoded in one way."""
    beams = TASKS[questions[0].task].beams
    prompts = [model.prompts.build(question.text) for question in questions]
    heard = [frames.aligned(question.clip) for question in questions]
    mask = pad_sequence([torch.ones(len(clip), dtype=torch.bool) for clip in heard], batch_first=True)
    audio = listen(
        pad_sequence(heard, batch_first=True),
        mask.to(heard[0].device),
        [prompt.question for prompt in prompts],
    )
    rows = model.respond(
        audio, prompts, max_new_tokens=questions[0].max_new_tokens, num_beams=beams, do_sample=False
    ).cpu()
    end = model.prompts.end_id
    for row, routing, real in zip(rows, audio.routing, audio.mask, strict=True):
        ended = (row == end).nonzero()
        ids = row[: int(ended[0]) + 1] if len(ended) else row
        yield Reply(model.prompts.text(ids, control=False).strip(), ids, routing[real].float().cpu())
