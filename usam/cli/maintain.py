"""`usam health|bench|weights`: the router's health, speed and memory, and the weights."""

import argparse
from pathlib import Path

from usam.cli import options as shared


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    health = commands.add_parser(
        "health", help="whether the router is alive: distinct experts, load, entropy"
    )
    health.set_defaults(run=run_health)

    bench = commands.add_parser("bench", help="speed and memory, beside transformers and llama.cpp")
    bench.add_argument("--rounds", type=int, default=5)
    bench.add_argument(
        "--tokens", type=int, default=128, help="how many tokens each runtime writes in a round"
    )
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    bench.add_argument(
        "--data",
        type=Path,
        help="folder with manifest.csv, whose held-out speech is asked about and transcribed; without one,"
        " noise is asked about and nothing transcribed",
    )
    bench.add_argument("--checkpoint", type=Path, help="an adapter folder instead of the shipped one")
    bench.add_argument("--plot", type=Path, metavar="PNG", help="also draw the figures")
    shared.add_preset_option(bench)
    bench.set_defaults(run=run_bench)

    weights = commands.add_parser(
        "weights", help="fetch the pretrained weights, or verify those that are there"
    )
    weights.add_argument("--verify", action="store_true", help="check the hash of every file")
    weights.set_defaults(run=run_weights)

    shared.add_engine_options(health)
    shared.add_preset_option(weights)


def run_health(options: argparse.Namespace) -> None:
    engine = shared.load_engine(options)
    health = engine.health()
    print(
        shared.dump(health, indent=2) if options.json else "\n".join(f"{k}: {v}" for k, v in health.items())
    )


@shared.needs("eval")
def run_bench(options: argparse.Namespace) -> None:
    from usam.benchmark.run import bench, table
    from usam.checkpoints.layout import bundled

    checkpoint = options.checkpoint or bundled(options.preset)
    found = bench(options.rounds, options.tokens, options.data, options.plot, checkpoint=checkpoint)
    print(shared.dump(found) if options.json else table(found))


def run_weights(options: argparse.Namespace) -> None:
    from usam.config import USAMConfig
    from usam.model.pretrained import fetch, models
    from usam.weights.cache import verify

    config = USAMConfig.from_preset(options.preset)
    paths = fetch(config, lambda message, share: print(f"{share:4.0%} {message}", flush=True))
    if options.verify:
        verify(models(config))
        print("Every file matches its hash.")
    print("\n".join(f"{name}: {path}" for name, path in [*paths.encoders.items(), ("language", paths.llm)]))
