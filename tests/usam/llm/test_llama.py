"""Single steps against transformers' own `generate`, and the line in which answers wait for them."""

import threading

import pytest
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from tests import tiny
from usam.generation.fair_lock import FairLock
from usam.llm.backend import CANDIDATES, TopLogits
from usam.llm.llama import LlamaStepDecoder
from usam.packed_linear import is_packed
from usam.quantization import choose_precision, quantize

TOKENS = 24


def prompt(llm: LlamaForCausalLM) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(llm.config.vocab_size, (1, 11), generator=generator)
    return llm.get_input_embeddings()(ids).detach()


def likeliest(candidates: TopLogits) -> int:
    return int(candidates.ids[0, candidates.logits[0].argmax()])


def stepped(llm: LlamaForCausalLM, embeddings: Tensor) -> list[int]:
    steps = LlamaStepDecoder(llm)
    candidates, cache = steps.prefill(embeddings, TOKENS)
    ids: list[int] = []
    while True:
        ids.append(likeliest(candidates))
        if len(ids) == TOKENS:
            return ids
        candidates = steps.step(ids[-1:], cache)


@pytest.mark.parametrize("quantization", ["none", "nf4", "int8"])
def test_steps_write_what_transformers_writes(quantization: str) -> None:
    llm = tiny.llm(64, layers=3)
    quantize(llm, choose_precision(quantization, "cpu"))
    embeddings = prompt(llm)
    never = llm.config.vocab_size
    expected = llm.generate(
        inputs_embeds=embeddings, max_new_tokens=TOKENS, eos_token_id=never, do_sample=False
    )
    assert stepped(llm, embeddings) == expected[0].tolist()


def test_sequences_can_be_open_at_once() -> None:
    llm = tiny.llm()
    steps = LlamaStepDecoder(llm)
    embeddings = prompt(llm)
    alone = stepped(llm, embeddings)
    first, one = steps.prefill(embeddings, 4)
    _, other = steps.prefill(embeddings[:, :5], 4)
    steps.step([7], other)
    assert likeliest(first) == alone[0]
    following = steps.step(alone[:1], one)
    assert likeliest(following) == alone[1]


def test_candidates_are_the_likeliest_and_their_logits_true() -> None:
    llm = tiny.llm()
    hidden = torch.randn(1, llm.config.hidden_size)
    found = LlamaStepDecoder(llm).top_logits(hidden)
    logits = llm.lm_head(hidden)[0]
    assert set(found.ids[0].tolist()) == set(logits.topk(CANDIDATES).indices.tolist())
    assert torch.equal(found.logits[0], logits[found.ids[0]])


def test_all_logits_are_to_be_had_and_add_up() -> None:
    llm = tiny.llm()
    hidden = torch.randn(3, llm.config.hidden_size)
    whole, top = (LlamaStepDecoder(llm).top_logits(hidden, count) for count in (None, 5))
    assert torch.equal(whole.logits, llm.lm_head(hidden))
    assert top.ids.shape == (3, 5)
    torch.testing.assert_close(whole.log_total, llm.lm_head(hidden).logsumexp(-1))
    torch.testing.assert_close(top.log_total, whole.log_total)


def test_the_vocabulary_is_read_in_four_bits_where_the_layers_are() -> None:
    """The likeliest are proposed by the copy; their logits, and all where all are wanted, are the layer's."""
    llm = tiny.llm(64, layers=1)
    quantize(llm, choose_precision("nf4", "cpu"))
    steps = LlamaStepDecoder(llm)
    if not is_packed(llm.model.layers[-1].mlp.down_proj):
        pytest.skip("this processor has no 4-bit kernel")
    assert steps.propose is not llm.lm_head
    hidden = torch.randn(2, 64, dtype=torch.bfloat16)
    exact = llm.lm_head(hidden)
    found = steps.top_logits(hidden)
    torch.testing.assert_close(found.logits, exact.gather(1, found.ids))
    assert torch.equal(steps.top_logits(hidden, None).logits, exact)
    assert (found.log_total - exact.float().logsumexp(-1)).abs().max() < 0.2


def test_two_who_take_many_turns_take_them_alternately() -> None:
    lock, order = FairLock(), []
    ready = threading.Barrier(2)

    def work(name: str) -> None:
        ready.wait()
        for _ in range(50):
            with lock:
                order.append(name)
                while len(order) == 1 and len(lock._line) < 2:
                    pass  # the other has come to the line too

    workers = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    shared = "".join(order)
    assert "aaa" not in shared[:60]
    assert "bbb" not in shared[:60]


def test_whoever_gives_up_waiting_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = FairLock()

    def interrupted(event: threading.Event) -> None:
        raise KeyboardInterrupt

    with lock, monkeypatch.context() as patched:
        patched.setattr(threading.Event, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt), lock:
            pass
    assert not lock.locked()
    with lock:
        pass
