"""How fast tokens are written: this decoder beside transformers and llama.cpp.

Rounds are interleaved, so that whatever else the machine does meets all of them; figures are medians.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import cast

import torch
from transformers import DynamicCache, LlamaForCausalLM

from usam.benchmark.llamacpp import LlamaCpp, LlamaCppError
from usam.benchmark.statistics import median, ratio
from usam.config import USAMConfig
from usam.errors import RequestError, WeightsError
from usam.llm.llama import LlamaStepDecoder
from usam.llm.loading import load_llm
from usam.llm.registry import LLMS
from usam.model.pretrained import fetch
from usam.quantization import choose_precision, quantize
from usam.weights.catalogue import Model

PROMPT = "Once upon a time there was a dog who listened to everything that could be heard. " * 4
ANSWERS = (32, 64, 128, 256, 512)  # tokens

USAM_NF4 = "usam nf4"
RUNTIMES = {
    "llamacpp": "llama.cpp",
    "transformers_nf4": "transformers nf4",
    "transformers_bf16": "transformers bf16",
}
"""The other runtimes, by what the ratios call them."""

Measure = Callable[[], float]


@dataclass(frozen=True)
class Models:
    """One LLM as it is and in 4 bits, the decoder over the latter, the ids of PROMPT [1, N], and where it was
    published, in llama.cpp's format."""

    plain: LlamaForCausalLM
    nf4: LlamaForCausalLM
    steps: LlamaStepDecoder
    ids: torch.Tensor
    source: Model

    @classmethod
    def load(cls, config: USAMConfig) -> "Models":
        """Raises RequestError for a language model that is not of the catalogue."""
        source = LLMS[config.llm_name].source
        if not isinstance(source, Model):
            raise RequestError(f"{config.llm_name} is not published in llama.cpp's format.")
        folder = fetch(config).llm
        plain, tokenizer = load_llm(folder)
        nf4 = cast(LlamaForCausalLM, quantize(load_llm(folder)[0], choose_precision("nf4", "cpu")))
        ids = tokenizer(PROMPT, return_tensors="pt").input_ids
        return cls(cast(LlamaForCausalLM, plain), nf4, LlamaStepDecoder(nf4), ids, source)


def decode(
    models: Models, rounds: int, tokens: int, threads: int, report: Callable[[str], None]
) -> dict[str, list[float]]:
    """Tokens a second of every runtime, one figure a round; without llama.cpp where it is not available."""
    torch.set_num_threads(threads)
    runtimes: dict[str, Measure] = {
        USAM_NF4: lambda: stepped(models, tokens),
        RUNTIMES["transformers_nf4"]: lambda: forwarded(models.nf4, models.ids, tokens),
        RUNTIMES["transformers_bf16"]: lambda: forwarded(models.plain, models.ids, tokens),
    }
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        try:
            peer = stack.enter_context(LlamaCpp(models.source, threads))
            peer.tokens_per_second(PROMPT, 1)  # before the others are measured: does it run?
            runtimes[RUNTIMES["llamacpp"]] = lambda: peer.tokens_per_second(PROMPT, tokens)
        except (LlamaCppError, WeightsError) as error:
            report(f"llama.cpp is left out: {error}")
        for measure in runtimes.values():
            measure()  # warm
        for _ in range(rounds):
            for name, measure in runtimes.items():
                found.setdefault(name, []).append(measure())
    return found


def contended(models: Models, rounds: int, tokens: int, threads: int) -> dict[str, float]:
    """Tokens a second alone and beside a process that keeps one core busy, as a web server does."""
    torch.set_num_threads(threads)
    stepped(models, tokens)
    quiet, busy = [], []
    for _ in range(rounds):
        quiet.append(stepped(models, tokens))
        spinning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            busy.append(stepped(models, tokens))
        finally:
            spinning.kill()
            spinning.wait()
    return {"alone": median(quiet), "beside a busy process": median(busy), "ratio": ratio(busy, quiet)}


def growth(models: Models, rounds: int) -> dict[int, list[float]]:
    """Seconds for answers of several lengths, one figure a round."""
    found: dict[int, list[float]] = {length: [] for length in ANSWERS}
    for _ in range(rounds):
        for length, seconds in found.items():
            seconds.append(length / stepped(models, length))
    return found


def stepped(models: Models, tokens: int) -> float:
    """Tokens a second of this project's decoder, which keeps to one core in the app too."""
    steps = models.steps
    candidates, cache = steps.prefill(models.nf4.get_input_embeddings()(models.ids), tokens)
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    started = time.perf_counter()
    for _ in range(tokens):
        candidates = steps.step([int(candidates.ids[0, candidates.logits[0].argmax()])], cache)
    seconds = time.perf_counter() - started
    torch.set_num_threads(cores)
    return tokens / seconds


@torch.inference_mode()
def forwarded(llm: LlamaForCausalLM, ids: torch.Tensor, tokens: int) -> float:
    """Tokens a second of transformers' forward pass, without what `generate` adds to it."""
    cache = DynamicCache()
    token = llm(input_ids=ids, cache=cache).logits[:, -1:].argmax(-1)
    started = time.perf_counter()
    for _ in range(tokens):
        token = llm(input_ids=token, cache=cache).logits[:, -1:].argmax(-1)
    return tokens / (time.perf_counter() - started)
