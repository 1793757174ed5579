"""How fast answers are: this decoder beside transformers and llama.cpp, then the app and its transcripts.

Rounds are interleaved, so that whatever else the machine does meets all of them; figures are medians.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from transformers import DynamicCache, LlamaForCausalLM

from usam import Engine
from usam.benchmark.answers import answers
from usam.benchmark.llamacpp import LlamaCpp
from usam.benchmark.statistics import median, ratio
from usam.benchmark.transcripts import transcripts
from usam.llm.llama import LlamaStepDecoder
from usam.llm.loading import load_llm
from usam.quantization import choose_precision, quantize
from usam.weights.cache import fetch

PROMPT = "Once upon a time there was a dog who listened to everything that could be heard. " * 4
ANSWERS = (32, 64, 128, 256, 512)  # tokens

Measure = Callable[[], float]


@dataclass(frozen=True)
class Models:
    """One LLM as it is and in 4 bits, the decoder over the latter, and the ids of PROMPT [1, N]."""

    plain: LlamaForCausalLM
    nf4: LlamaForCausalLM
    steps: LlamaStepDecoder
    ids: torch.Tensor

    @classmethod
    def load(cls) -> "Models":
        folder = fetch("mini").llm
        plain, tokenizer = load_llm(folder)
        nf4 = cast(LlamaForCausalLM, quantize(load_llm(folder)[0], choose_precision("nf4", "cpu")))
        ids = tokenizer(PROMPT, return_tensors="pt").input_ids
        return cls(cast(LlamaForCausalLM, plain), nf4, LlamaStepDecoder(nf4), ids)


def decode(models: Models, rounds: int, tokens: int, threads: int) -> dict[str, list[float]]:
    """Tokens a second of every runtime, one figure a round."""
    torch.set_num_threads(threads)
    with LlamaCpp(threads) as peer:
        runtimes: dict[str, Measure] = {
            "usam nf4": lambda: stepped(models, tokens),
            "llama.cpp q4_1": lambda: peer.tokens_per_second(PROMPT, tokens),
            "transformers nf4": lambda: forwarded(models.nf4, models.ids, tokens),
            "transformers bf16": lambda: forwarded(models.plain, models.ids, tokens),
        }
        for measure in runtimes.values():
            measure()  # warm
        found: dict[str, list[float]] = {name: [] for name in runtimes}
        for _ in range(rounds):
            for name, measure in runtimes.items():
                found[name].append(measure())
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


def machine() -> dict[str, Any]:
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {"processor": model, "cores": os.cpu_count(), "torch": torch.__version__}


def bench(rounds: int = 5, tokens: int = 128, data: Path | None = None) -> dict[str, Any]:
    """All figures, with the ratios that matter, as one JSON-able dictionary."""
    torch.set_num_threads(2)
    engine = Engine.load()
    answering = answers(engine, rounds)  # first, so that the memory is the app's alone
    written = transcripts(engine, data)
    del engine
    models = Models.load()
    speeds: dict[str, dict[str, float]] = {}
    ratios: dict[str, dict[str, float]] = {}
    for threads in (1, 2):
        found = decode(models, rounds, tokens, threads)
        ours = found["usam nf4"]
        speeds[f"{threads} thread"] = {name: median(values) for name, values in found.items()}
        ratios[f"{threads} thread"] = {
            f"decode_vs_{key}": ratio(ours, found[name])
            for key, name in (
                ("llamacpp", "llama.cpp q4_1"),
                ("transformers_nf4", "transformers nf4"),
                ("transformers_bf16", "transformers bf16"),
            )
        }
    return {
        "machine": machine(),
        "rounds": rounds,
        "tokens": tokens,
        "tokens_per_s": speeds,
        "ratios": ratios["2 thread"],
        "ratios_by_threads": ratios,
        "contention": contended(models, rounds, tokens, 2),
        "app": answering,
        "decode_s": {str(length): median(times) for length, times in growth(models, rounds).items()},
        "transcripts": written,
    }


def table(found: dict[str, Any]) -> str:
    """The figures in words."""
    lines = [f"{found['machine']['processor']}, {found['machine']['cores']} cores"]
    for threads, speeds in found["tokens_per_s"].items():
        lines += [f"{threads:9} {name:18} {speed:7.1f} tokens/s" for name, speed in speeds.items()]
    for threads, ratios in found["ratios_by_threads"].items():
        lines += [f"{threads:9} {name:28} {ratio:5.2f}" for name, ratio in ratios.items()]
    lines.append(f"beside a busy process  {found['contention']['ratio']:6.2f} of the speed alone")
    app = found["app"]
    lines += [
        f"first token, {length:5} clip {seconds:6.2f} s" for length, seconds in app["first_token_s"].items()
    ]
    lines.append(f"second question        {app['second_question_s']:6.2f} s")
    lines.append(f"an answer's speed      {app['answer_tokens_per_s']:6.1f} tokens/s")
    lines += [
        f"{tokens:>4} tokens decoded    {seconds:6.2f} s" for tokens, seconds in found["decode_s"].items()
    ]
    lines.append(f"load {app['load_s']} s, resident {app['resident_mb']} MB")
    written = found["transcripts"]
    lines += [
        f"transcript, {name:17} {seconds:6.2f} s a clip, word error rate {written['wer'][name]:.3f}"
        f" ({written['clips']} clips, {written['audio_s']} s)"
        for name, seconds in written["median_s"].items()
    ]
    return "\n".join(lines)
