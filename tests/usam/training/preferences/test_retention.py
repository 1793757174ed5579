"""Whether a right answer is the one that the model would give."""

from dataclasses import replace

import torch

from tests import tiny
from usam.training.preferences.clips import Completion, Heard
from usam.training.preferences.replay import answer_ids
from usam.training.preferences.retention import answered_right, likeliest


def test_one_pass_tells_what_the_model_would_write() -> None:
    model = tiny.model(words=True).eval()
    generator = torch.Generator().manual_seed(0)
    heard = [Heard(torch.randn(n, 24, generator=generator), ((), (), ()), f"{n}") for n in (12, 7, 20)]
    prompts = [model.prompts.build(text) for text in ("What?", "Is it a dog?", "Who?")]
    written = answer_ids(model, heard, prompts, 5)
    own = [Completion(*one, torch.tensor(ids)) for *one, ids in zip(heard, prompts, written, strict=True)]
    assert likeliest(model, own) == [True] * 3
    other = own[1].answer.clone()
    other[-1] = (other[-1] + 1) % model.llm.config.vocab_size
    assert likeliest(model, [own[0], replace(own[1], answer=other), own[2]]) == [True, False, True]


def test_what_is_written_is_right_whatever_its_case() -> None:
    model = tiny.model(words=True).eval()
    heard = Heard(torch.zeros(8, 24), ((), (), ()), "one")
    prompt = model.prompts.build("What?")
    [ids] = answer_ids(model, [heard], [prompt], 40)
    text = model.prompts.text(ids, control=False)
    asked = [Completion(heard, prompt, model.prompts.answer(answer)) for answer in (text.upper(), "A hen.")]
    assert answered_right(model, asked, lambda message: None) == [True, False]
