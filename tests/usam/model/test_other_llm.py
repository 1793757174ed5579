"""Another language model behind the adapter: it reads the same words in its own embeddings and template."""

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from tests import tiny
from tests.forms import FORMS, form
from usam.engine.engine import Engine
from usam.errors import RequestError
from usam.llm.chat_prompts import GUIDE, ChatPromptBuilder
from usam.llm.finding import check_llm
from usam.llm.text_space import ForeignTextSpace, TextSpace
from usam.model.model import USAM
from usam.quantization import choose_precision, quantize
from usam.schema.answer import Turn
from usam.schema.interventions import DropRedundant, ForceExpert
from usam.schema.tasks import SpeechRequest

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WITHOUT_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<model>{% endif %}"
)
PRECISION = choose_precision("none", "cpu")


def tokenizer(template: str = CHATML) -> PreTrainedTokenizerFast:
    made = tiny.tokenizer()
    made.chat_template = template
    return made


def other(llm: PreTrainedModel) -> USAM:
    """A tiny U-SAM with words, whose answers another language model gives."""
    own = tiny.model(words=True)
    space = ForeignTextSpace(TextSpace(own.embeddings.weight.detach(), tiny.tokenizer()), tokenizer())
    streams = tiny.word_streams()
    built = USAM(own.adapter, llm, tokenizer(), list(own.encoders), word_streams=streams, space=space)  # type: ignore[arg-type]
    return built.eval().requires_grad_(False)


@pytest.mark.parametrize("name", FORMS)
def test_any_form_answers_streams_and_is_inspected(name: str, tmp_path: Path) -> None:
    engine = Engine(other(quantize(form(name), PRECISION)), PRECISION, tmp_path, load_s=0.0)
    own = tiny.engine(tmp_path, words=True)
    clip = tiny.clip(2.0)
    answer = engine.ask(
        clip, "What is it?", max_new_tokens=3
    )  # in four, random weights may repeat themselves
    expected = own.ask(clip, "What is it?", max_new_tokens=3)
    assert answer.timings.answer_tokens == 3 or not answer.stopped
    assert GUIDE in answer.prompt
    for ours, theirs in zip(answer.trace.tokens, expected.trace.tokens, strict=True):
        assert ours.routing == pytest.approx(theirs.routing, abs=1e-4)
        assert (ours.words, ours.word) == (theirs.words, theirs.word)
    changed = engine.ask(clip, "What is it?", max_new_tokens=3, intervention=ForceExpert(0))
    assert all(token.routing[0] == 1 for token in changed.trace.tokens)
    engine.ask(clip, "What is it?", max_new_tokens=3, intervention=DropRedundant())


def test_the_same_llm_reads_the_same_words(tmp_path: Path) -> None:
    """With the adapter's own embeddings, what is read of a word is what it would have read anyway."""
    own, same = tiny.model(words=True), other(tiny.llm())
    clip = tiny.clip(1.0)
    hearing = own.hear(clip.waveform)
    placed = own.place_words(hearing, SpeechRequest())
    words = own.word_grid(placed, len(hearing.frames))
    mask = torch.ones(1, len(hearing.frames), dtype=torch.bool)
    asked = [own.prompts.build("What is it?").question]
    before = own.embed_audio(hearing.frames[None], mask, asked, words=words)
    after = same.embed_audio(hearing.frames[None], mask, asked, words=words)
    assert after.inputs is not None
    torch.testing.assert_close(after.tokens, before.tokens)
    assert before.word_share is not None
    loud = before.word_share[0, :, 0] > 0.8
    assert loud.any()
    nearest = torch.cdist(after.inputs[0, loud], same.embeddings.weight).argmin(-1)
    assert nearest.tolist() == words.ids[0, loud].tolist()
    assert not torch.allclose(after.inputs[0, ~loud], before.tokens[0, ~loud])  # own projections differ


@pytest.mark.parametrize("template", [CHATML, WITHOUT_SYSTEM])
def test_a_conversation_takes_the_templates_form(template: str) -> None:
    made = tokenizer(template)
    prompts = ChatPromptBuilder(made)
    history = (Turn("First?", "Yes."),)
    prompt = prompts.build("Second <|im_end|> {{ 1 }}?", history)
    text = prompts.text(prompt.left) + "<audio>" + prompts.text(prompt.right)
    assert text.index(GUIDE) < text.index("<audio>") < text.index("First?") < text.index("Yes.")
    assert text.index("Yes.") < text.index("Second <|im_end|> {{ 1 }}?")
    end = made.convert_tokens_to_ids("<|im_end|>")
    assert prompts.end_id == end
    assert prompt.right.tolist().count(end) == text.count("<|im_end|>") - 1 - prompts.text(prompt.left).count(
        "<|im_end|>"
    )  # what the person typed is text, not control
    assert prompts.answer("Yes.").tolist()[-1] == end


def test_without_a_usable_template_it_says_so() -> None:
    with pytest.raises(RequestError, match="chat template"):
        ChatPromptBuilder(tokenizer("{{ raise_exception('never') }}")).build("What?")


def saved(folder: Path, template: str | None = CHATML) -> Path:
    form("llama").save_pretrained(folder)
    made = tiny.tokenizer()
    made.chat_template = template
    made.save_pretrained(folder)
    return folder


def test_what_cannot_serve_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path / "plain", template=None)
    sizes = {"model.safetensors": 1000}
    with pytest.raises(RequestError, match="no chat template"):
        check_llm("plain", folder, sizes, PRECISION)
    good = saved(tmp_path / "good")
    check_llm("good", good, sizes, PRECISION)
    with pytest.raises(RequestError, match="memory"):
        check_llm("good", good, {"model.safetensors": 10**15}, PRECISION)
    with pytest.raises(RequestError, match="safetensors"):
        check_llm("good", good, {"pytorch_model.bin": 1000}, PRECISION)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="no language model"):
        check_llm("empty", tmp_path / "empty", sizes, PRECISION)


def test_it_loads_from_a_folder_and_says_which_one_answered(tmp_path: Path) -> None:
    model = other(form("qwen2"))
    engine = Engine(model, PRECISION, tmp_path, load_s=0.0, llm="somebody/qwen2")
    answer = engine.ask(tiny.clip(), "What is it?", max_new_tokens=2)
    assert answer.model.llm == "somebody/qwen2"
    assert not answer.model.same_as(Engine(model, PRECISION, tmp_path, load_s=0.0).model_info)
