"""The cascade: what the specialists say, written into the prompt of the same language model, untuned.

It has the same words as a checkpoint with words, and no audio tokens: what U-SAM answers better than this,
its training and its tokens bring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from usam.adapter.words import place
from usam.encoders.base import Encoder
from usam.encoders.heads.asked_speech import speech_request
from usam.encoders.registry import load_word_streams
from usam.engine.engine import Engine
from usam.evaluation.answering import REPORT_EVERY, Report, by_clip
from usam.evaluation.metrics import Figure
from usam.evaluation.questions import Question, score
from usam.llm.llama import LlamaStepDecoder
from usam.llm.loading import load_llm
from usam.llm.prompts import PromptBuilder
from usam.model.listening import Hearing, hear, words_of
from usam.model.pretrained import fetch
from usam.quantization import quantize

NOTES = (
    "These are notes of what is heard in a recording, in order of time. In [] are the speaker and the "
    "language, followed by what is said; in () are sounds; in {{}} are tags of music.\n"
    "Notes:{notes}\n"
    "Answer in one short sentence. {question}"
)
NO_NOTES = " nothing is heard"


def cascade(engine: Engine, questions: Sequence[Question], report: Report) -> Mapping[str, Figure]:
    """Figures of the language model as it was published, in the engine's precision, reading the specialists'
    words as text."""
    paths = fetch(engine.config)
    llm, tokenizer = load_llm(paths.llm)
    llm = quantize(llm, engine.precision).to(engine.precision.device).eval()  # type: ignore[arg-type]
    writer = Writer(llm, tokenizer)
    answers: dict[int, str] = {}
    for index, notes in heard(engine, questions):
        question = questions[index]
        answers[index] = writer.answer(prompt(notes, question.text), question.max_new_tokens)
        if len(answers) % REPORT_EVERY == 0 or len(answers) == len(questions):
            report(f"the cascade answered {len(answers)} of {len(questions)} questions")
    return score(questions, [answers[index] for index in range(len(questions))])


def heard(engine: Engine, questions: Sequence[Question]) -> list[tuple[int, str]]:
    """Of each question its index and what the specialists say of its clip, those about one clip in a row."""
    model = engine.model
    encoders = cast("list[Encoder]", list(model.encoders))
    streams = model.word_streams or load_word_streams(fetch(engine.config).encoders, encoders, engine.config)
    found: list[tuple[int, str]] = []
    latest: tuple[int, Hearing] | None = None
    heads = model.adapter
    for index in by_clip(questions):
        question = questions[index]
        if latest is None or latest[0] != id(question.clip):
            waveform = question.clip.audio.waveform
            latest = id(question.clip), hear(waveform, encoders, True, kinds=heads.kinds, names=heads.names)
        request = speech_request(question.task, question.text)
        words = words_of(latest[1], streams, request, model.adapter.speaker)
        tokens = -(-len(latest[1].frames) // engine.config.frames_per_token)
        placed = place(words, tokens, engine.config.token_seconds)
        found.append((index, "".join(one.word.read for one in placed)))
    return found


def prompt(notes: str, question: str) -> str:
    """What the language model is asked."""
    return NOTES.format(notes=notes or NO_NOTES, question=question)


class Writer:
    """A language model that reads text alone and answers greedily."""

    def __init__(self, llm: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self.prompts = PromptBuilder(tokenizer)
        self.embeddings = llm.get_input_embeddings()
        self.steps = LlamaStepDecoder(cast(LlamaForCausalLM, llm))

    @torch.inference_mode()
    def answer(self, text: str, max_new_tokens: int) -> str:
        built = self.prompts.build(text)
        device = next(self.embeddings.parameters()).device
        read: Tensor = self.embeddings(torch.cat([built.left, built.right]).to(device))[None]
        logits, cache = self.steps.prefill(read, max_new_tokens)
        ids: list[int] = []
        while len(ids) < max_new_tokens:
            best = int(logits.ids[0, logits.logits[0].argmax()])
            if best == self.prompts.end_id:
                break
            ids.append(best)
            if len(ids) < max_new_tokens:
                logits = self.steps.step([best], cache)
        return self.prompts.text(ids, control=False).strip()
