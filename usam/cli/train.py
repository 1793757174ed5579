"""`usam train|train-words|fit-heads|eval`: make a checkpoint, and measure one."""

import argparse
import sys
from pathlib import Path

from usam.cli import options as shared


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    evaluate = commands.add_parser("eval", help="the public evaluation, on held-out clips of a data folder")
    evaluate.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    evaluate.add_argument("--limit", type=int, help="at most this many clips of a kind")
    evaluate.add_argument(
        "--baselines", action="store_true", help="also the encoders, Whisper's decoder and the LLM alone"
    )
    evaluate.add_argument(
        "--ablations", action="store_true", help="also without single parts, and SACLM's deletion test"
    )
    evaluate.add_argument("--work", type=Path, help="folder for what the baselines compute once")
    evaluate.add_argument(
        "--packages", type=Path, help="/usr/share with fillets-ng's Czech and Dutch, to be translated"
    )
    evaluate.add_argument("--write", action="store_true", help="keep the figures in the checkpoint folder")
    evaluate.add_argument("--heldout", type=Path, help="file of further held-out clip names, one a line")
    evaluate.set_defaults(run=run_eval)

    train = commands.add_parser("train", help="train the adapter")
    train.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    train.add_argument("--synthesis", type=Path, help="folder of usam.data.synthetic.speech")
    train.add_argument(
        "--packages", type=Path, help="/usr/share, for sounds of Debian packages that are there"
    )
    train.add_argument("--rendered", type=Path, help="folder of usam.data.synthetic.instruments")
    train.add_argument("--start", type=Path, help="a checkpoint folder to continue from")
    train.add_argument("--work", type=Path, required=True, help="folder for frames, checkpoints and logs")
    train.add_argument("--output", type=Path, required=True, help="folder for the trained adapter")
    train.add_argument("--minutes", type=float, help="budget of all stages together")
    train.add_argument("--direct-steps", type=int, default=2_000)
    train.add_argument("--tokens-steps", type=int, default=1_500)
    train.add_argument("--align-steps", type=int, default=20_000)
    train.add_argument("--instruct-steps", type=int, default=4_000)
    train.add_argument("--heldout", type=Path, help="file of clip names to keep out, one a line")
    train.add_argument("--no-teacher", action="store_true", help="leave clips without transcripts out")
    train.add_argument("--seed", type=int, default=0)
    train.set_defaults(run=run_train)

    words = commands.add_parser("train-words", help="train a checkpoint to read the encoders' own words")
    words.add_argument("--work", type=Path, required=True, help="folder for encoded clips, states and logs")
    words.add_argument("--packages", type=Path, help="/usr/share, for texts in other languages")
    words.add_argument("--preset", help="the preset whose language model is to read, if another")
    words.add_argument("--minutes", type=float, help="budget; without it, --steps")
    words.add_argument("--steps", type=int, default=400)
    words.set_defaults(run=run_train_words)

    heads = commands.add_parser("fit-heads", help="fit a checkpoint's heads for kinds and names anew")
    heads.add_argument("--work", type=Path, required=True, help="folder for what is heard of the clips")
    heads.add_argument(
        "--packages", type=Path, help="/usr/share, for sounds of Debian packages that are there"
    )
    heads.add_argument("--mixtures", type=int, default=5_000, help="of two kinds of audio, made of the clips")
    heads.set_defaults(run=run_fit_heads)

    for command in (words, heads):
        command.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
        command.add_argument(
            "--start", type=Path, required=True, help="the checkpoint folder to continue from"
        )
        command.add_argument("--output", type=Path, required=True, help="folder for the new checkpoint")
        command.add_argument("--heldout", type=Path, help="file of clip names to keep out, one a line")
        command.add_argument("--seed", type=int, default=0)
    for command in (train, words):
        shared.add_execution_options(command)
    shared.add_engine_options(evaluate)
    shared.add_preset_option(train)


@shared.needs("eval")
def run_eval(options: argparse.Namespace) -> None:
    from usam.data.splits import read_heldout
    from usam.evaluation import Options, evaluate, table, write

    def report(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    engine = shared.load_engine(options)
    result = evaluate(
        engine,
        Options(
            data=options.data,
            limit=options.limit,
            heldout=read_heldout(options.heldout),
            baselines=options.baselines,
            ablations=options.ablations,
            work=options.work,
            packages=options.packages,
        ),
        report,
    )
    if options.write:
        write(result, engine.checkpoint)
    print(shared.dump(result, indent=2) if options.json else table(result))


@shared.needs("train")
def run_train(options: argparse.Namespace) -> None:
    from usam.data.splits import read_heldout
    from usam.training.pipeline import TrainingOptions, run_training
    from usam.training.trainer import Budget

    steps = (options.direct_steps, options.tokens_steps, options.align_steps, options.instruct_steps)
    direct, tokens, align, instruct = (Budget(steps=count) for count in steps)
    if options.minutes is not None:
        shares = (0.05, 0.03, 0.42, 0.5)
        direct, tokens, align, instruct = (Budget(minutes=options.minutes * share) for share in shares)
    run_training(
        TrainingOptions(
            corpus=options.data,
            work=options.work,
            output=options.output,
            synthesis=options.synthesis,
            packages=options.packages,
            rendered=options.rendered,
            start=options.start,
            heldout=read_heldout(options.heldout),
            direct=direct,
            tokens=tokens,
            align=align,
            instruct=instruct,
            teacher=not options.no_teacher,
            seed=options.seed,
            preset=options.preset,
            execution=shared.execution(options),
        )
    )


@shared.needs("train")
def run_train_words(options: argparse.Namespace) -> None:
    from usam.data.splits import read_heldout
    from usam.training.trainer import Budget
    from usam.training.words_pipeline import WordsOptions, run_words_training

    run_words_training(
        WordsOptions(
            corpus=options.data,
            start=options.start,
            work=options.work,
            output=options.output,
            packages=options.packages,
            preset=options.preset,
            heldout=read_heldout(options.heldout),
            budget=Budget(steps=options.steps)
            if options.minutes is None
            else Budget(minutes=options.minutes),
            seed=options.seed,
            execution=shared.execution(options),
        )
    )


@shared.needs("train")
def run_fit_heads(options: argparse.Namespace) -> None:
    from usam.data.splits import read_heldout
    from usam.training.words_pipeline import HeadsOptions, run_head_fitting

    run_head_fitting(
        HeadsOptions(
            corpus=options.data,
            start=options.start,
            work=options.work,
            output=options.output,
            packages=options.packages,
            mixtures=options.mixtures,
            heldout=read_heldout(options.heldout),
            seed=options.seed,
        )
    )
