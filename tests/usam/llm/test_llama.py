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
