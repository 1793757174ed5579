"""What is not to be forgotten: questions on which no taste decides, about clips imagined from text, and what
the model says by itself of the rated clips. Both need no corpus."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch

from usam.data.instructions import FAMILIES, KIND, SPEAKING, TRANSCRIBE
from usam.data.scenes import token_count
from usam.data.scenes.imagination import Imagination, Material
from usam.data.scenes.questions import Names, SceneInstructor
from usam.data.scenes.wordings import VERBS
from usam.data.synthetic.grammar import everyday_sentence
from usam.llm.prompts import Prompt
from usam.model.model import USAM
from usam.training.preferences.clips import (
    Completion,
    Heard,
    RatedClips,
    asked_prompt,
    collate,
    read_audio,
    without_tokens,
)
from usam.training.preferences.rows import Asked

ONE_ANSWER = frozenset(
    "asr s2tt kind mixture who speaker people language word mention yesno named untold nothing nospeech "
    "family singing first last after before".split()
)
"""Kinds of questions with one right answer; how the others are answered is what people may prefer."""
NAMING = frozenset({"sound", "music", "open", "choice"})
"""Those whose answer is a name."""
FIXED_QUESTIONS = (("asr", TRANSCRIBE[0]), ("qa", KIND[0]), ("qa", SPEAKING[0]))
SENTENCES = 300
OWN_TOKENS = 40  # of an answer that is to be kept
OWN_BATCH = 8


def imagined(model: USAM, count: int, seed: int, names: bool = False) -> list[Completion]:
    """Right answers about clips of words that never were; none for a checkpoint that reads no words.

    names: whether those that name what is heard are among them, in any words.
    """
    if model.adapter.words is None:
        return []
    random, rng = Random(seed), np.random.default_rng(seed)
    sentences = [everyday_sentence(rng) for _ in range(SENTENCES)]
    sounds = sorted(VERBS)
    instruments = sorted({name for names in FAMILIES.values() for name in names})
    words = [word for text in sentences for word in text.lower().strip(".?!").split() if len(word) > 3]
    config = model.adapter.config
    material = Material({"English": sentences}, sounds, instruments, {})
    imagination = Imagination(material, config.token_seconds, config.background_kinds, config.kind_head)
    instructor = SceneInstructor(Names(sounds, instruments, words))
    found: list[Completion] = []
    while len(found) < count:
        scene = imagination.draw(random)
        instruction = instructor.draw(scene, random)
        one_answer = instruction.category in ONE_ANSWER and not names_several(instruction.answer)
        if not (one_answer or (names and instruction.category in NAMING)):
            continue
        name = f"imagined {seed} {len(found)}"
        length = token_count(scene, config.token_seconds)
        heard = without_tokens(Heard(torch.zeros(0), scene.words, name), length, config.hidden_size)
        prompt = model.prompts.build(instruction.question)
        found.append(Completion(heard, prompt, model.prompts.answer(instruction.answer)))
    return found


def own_answers(
    model: USAM,
    clips: RatedClips,
    asked: Sequence[Asked],
    folder: Path,
    report: Callable[[str], None] = print,
) -> list[Completion]:
    """What the model itself answers to one of FIXED_QUESTIONS about each of these clips, computed once and
    kept.

    What names several things, as "No, I hear a lid, a tap or a spoon." does, is left out: that is a way to
    put it, which a taste may be about. Replayed, it took most of the divergence that tuning is allowed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    questions = []
    for number, one in enumerate({one.clip: one for one in asked}.values()):
        task, question = FIXED_QUESTIONS[number % len(FIXED_QUESTIONS)]
        questions.append(Asked(one.audio, one.clip, question, task))
    found = []
    for start in range(0, len(questions), OWN_BATCH):
        heard = [clips.heard(one) for one in questions[start : start + OWN_BATCH]]
        prompts = [asked_prompt(model, one) for one in questions[start : start + OWN_BATCH]]
        names = json.dumps(
            [[one.name, prompt.question.tolist()] for one, prompt in zip(heard, prompts, strict=True)]
        )
        file = folder / f"{hashlib.sha256(names.encode()).hexdigest()[:24]}.json"
        if not file.exists():
            part = file.with_suffix(".part")
            part.write_text(json.dumps(answer_ids(model, heard, prompts, OWN_TOKENS)))
            part.rename(file)
            report(f"{start + len(heard)} of {len(questions)} answers to keep")
        answers = json.loads(file.read_text())
        found += [
            Completion(one, prompt, torch.tensor(ids))
            for one, prompt, ids in zip(heard, prompts, answers, strict=True)
            if ids and not names_several(model.prompts.text(ids))
        ]
    return found


def names_several(answer: str) -> bool:
    """Whether an answer leaves open which of several things it is."""
    return " or " in answer


@torch.inference_mode()
def answer_ids(model: USAM, heard: Sequence[Heard], prompts: Sequence[Prompt], most: int) -> list[list[int]]:
    """The likeliest answer to each prompt, token by token, as far as its end mark."""
    empty = torch.zeros(0, dtype=torch.long)
    given = collate(
        model, [Completion(one, prompt, empty) for one, prompt in zip(heard, prompts, strict=True)]
    )
    with torch.autocast(model.device.type, torch.bfloat16):
        answers = model.respond(read_audio(model, given), prompts, max_new_tokens=most, do_sample=False)
    end = model.prompts.end_id
    found = []
    for ids in answers.tolist():
        found.append(ids[: ids.index(end) + 1] if end in ids else ids)
    return found
