"""An adapter in front of another language model names the same words and routes the same way."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tests import tiny
from usam.llm.text_space import TextSpace
from usam.training.transfer import QUESTIONS, shared_words, transfer


def other_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes in another order, some of them missing."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())[:9:-1]
    core = Tokenizer(models.BPE({piece: index for index, piece in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core)


@pytest.fixture(scope="module")
def sides() -> tuple[TextSpace, TextSpace]:
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(320, 48, generator=generator)
    return TextSpace(tiny.llm().get_input_embeddings().weight.detach(), tiny.tokenizer()), TextSpace(
        table, other_tokenizer()
    )


def test_words_are_shared_by_what_they_are(sides: tuple[TextSpace, TextSpace]) -> None:
    source, target = sides
    ids = list(range(3, 120))
    kept, found = shared_words(ids, source.tokenizer, target.tokenizer)
    assert 100 < len(kept) < len(ids)
    before = source.tokenizer.convert_ids_to_tokens([ids[place] for place in kept])
    assert target.tokenizer.convert_ids_to_tokens(found) == before


def test_the_same_is_heard_in_front_of_another_llm(sides: tuple[TextSpace, TextSpace]) -> None:
    source, target = sides
    old = tiny.adapter(words=True)
    assert old.anchor is not None
    with torch.no_grad():
        for expert in old.projector.experts:
            expert[-1].weight.mul_(60)  # words that are clear, as after training
    tokens = torch.randn(600, 24, generator=torch.Generator().manual_seed(2))
    config = tiny.config(llm_dim=48, words=True)
    new = transfer(old, source, target, config, [tokens[:500]], steps=150, report=lambda line: None)
    assert new.anchor is not None
    kept, _ = shared_words(old.anchor.token_ids.tolist(), source.tokenizer, target.tokenizer)
    heard, mask = tokens[None, 500:], torch.ones(1, 100, dtype=torch.bool)
    question = QUESTIONS[0]
    with torch.no_grad():
        theirs = old.eval().project(heard, mask, source.mean(question)[None])
        ours = new.eval().project(heard, mask, target.mean(question)[None])
    assert theirs.logits is not None
    assert ours.logits is not None
    words = theirs.logits[..., [*kept, -1]].argmax(-1)
    assert (ours.logits.argmax(-1) == words).float().mean() > 0.6
    torch.testing.assert_close(ours.routing, theirs.routing, atol=0.15, rtol=0)
