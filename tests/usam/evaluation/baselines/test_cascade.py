"""The cascade reads the specialists' words as text."""

from pathlib import Path

import pytest
import torch

from tests import tiny
from usam.evaluation.baselines.cascade import Writer, heard, prompt
from usam.evaluation.clips import TestSet
from usam.evaluation.questions import Question


def test_notes_are_what_the_checkpoints_specialists_say_in_order_of_time(
    tmp_path: Path, clips: TestSet
) -> None:
    engine = tiny.engine(tmp_path, words=True)
    clip = clips.of("music")[0]
    questions = [
        Question(clip, "What do you hear?"),
        Question(clip, "Translate the speech into English.", task="s2tt"),
        Question(clips.of("speech")[3], "What do you hear?"),
    ]
    notes = dict(heard(engine, questions))
    assert sorted(notes) == [0, 1, 2]
    assert notes[0].index("(dog") < notes[0].index("bon jour") < notes[0].index("{piano}")
    assert "welcome" in notes[1]
    assert "jour" not in notes[1]
    assert notes[0] in prompt(notes[0], "Who barks?")
    assert prompt(notes[0], "Who barks?").endswith("Who barks?")


def test_a_clip_is_heard_once_for_all_its_questions(tmp_path: Path, clips: TestSet) -> None:
    engine = tiny.engine(tmp_path, words=True)
    heard(engine, [Question(clip, text) for text in ("a", "b") for clip in clips.single[:3]])
    assert engine.model.encoders[0].calls == 3


@pytest.mark.parametrize("most", [1, 7])
def test_answers_are_the_greedy_ones_of_the_language_model(most: int) -> None:
    llm, tokenizer = tiny.llm(), tiny.tokenizer()
    writer = Writer(llm, tokenizer)
    built = writer.prompts.build("what is this")
    ids = torch.cat([built.left, built.right])[None]
    expected = llm.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, do_sample=False,
        eos_token_id=writer.prompts.end_id, pad_token_id=writer.prompts.end_id,
    )[0, ids.shape[1] :]  # fmt: skip
    assert writer.answer("what is this", most) == writer.prompts.text(expected, control=False).strip()
