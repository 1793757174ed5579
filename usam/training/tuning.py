"""`python -m usam tune`: what people prefer, from an export of their judgements to a checkpoint folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from usam.checkpoints.fingerprint import fingerprint
from usam.checkpoints.layout import CARD, ROUTING, SPEECH_LORA, bundled
from usam.encoders.registry import load_word_streams
from usam.errors import RequestError
from usam.llm.loading import load_llm
from usam.model.loading import frozen_encoders, load_adapter
from usam.model.model import USAM
from usam.model.pretrained import fetch
from usam.quantization import choose_precision
from usam.training.execution import Execution, processes
from usam.training.lora import add_llm_lora
from usam.training.pipeline import without_words, write_checkpoint
from usam.training.preferences.examples import MOST, held_out_questions, likeliest_answers, write_examples
from usam.training.preferences.judgements import TuningData
from usam.training.preferences.replay import imagined
from usam.training.preferences.retention import Retention, answered_right
from usam.training.preferences.rows import Preferences, read_preferences
from usam.training.preferences.settings import Settings
from usam.training.rounding import Rounding
from usam.training.stages.preference import BY_DEFAULT, run_preferences
from usam.training.stages.preference_checks import Check, Watch, before
from usam.training.trainer import Budget
from usam.training.tuning_data import Preparation

RECORD = "tuning.json"
"""What a tuned checkpoint was made from and how, beside its weights."""
REPLAYED = 120  # answers about imagined clips; own answers about half as many clips, at most
ASKED_AGAIN = 64  # questions with one right answer, before and after
KNOWN = 4  # times as many, others, of which few may be lost on the way; telling that takes no writing
FEWEST_HELD = 5  # pairs, below which nothing can be said of what was learned
CONSENT = "Only clips that were kept, which is done for people who agreed to it."

Report = Callable[[str], None]


@dataclass(frozen=True)
class TuningOptions:
    """What to learn from, where to go on from, and for how long.

    export: a folder of `python -m storage export`. checkpoint: a folder to go on from, by default the
    preset's. weights, without: as of `read_preferences`. How many: replayed, of answers; asked_again, of
    questions with one right answer; examples, of answers to held-out questions before and after.
    """

    export: Path
    work: Path
    output: Path
    checkpoint: Path | None = None
    preset: str = "mini"
    device: str | None = None
    parts: Sequence[str] = BY_DEFAULT
    weights: Mapping[str, float] = field(default_factory=dict)
    without: Collection[str] = ()
    settings: Settings = field(default_factory=Settings)
    budget: Budget = Budget(steps=120)
    replayed: int = REPLAYED
    asked_again: int = ASKED_AGAIN
    examples: int = MOST
    seed: int = 0
    execution: Execution = Execution()

    @property
    def start(self) -> Path:
        return self.checkpoint or bundled(self.preset)


@dataclass(frozen=True)
class Tuned:
    """What came of tuning: the record that is kept beside the checkpoint."""

    folder: Path
    record: dict[str, Any]

    @property
    def refused(self) -> str:
        """Why the result should not take its parent's place; empty for one that may."""
        return str(self.record["refused"])


def run_tuning(options: TuningOptions, report: Report = print) -> Tuned:
    """Read the judgements, tune, and write the checkpoint to `options.output`. Raises UsamError."""
    report = report if processes().is_main_process else without_words
    with processes().main_process_first():
        if options.output.exists() and any(options.output.iterdir()):
            raise RequestError(
                f"The folder {options.output.name!r} is not empty; name another for the result."
            )
        preferences = read_preferences(options.export, options.weights, options.without)
        report(str(preferences))
        if not preferences.rows:
            raise RequestError("There is nothing to learn from: no judgement whose clip was kept.")
        model = load_tunable(options, report)
    return tune(model, preferences, options, report)


def load_tunable(options: TuningOptions, report: Report = print) -> USAM:
    """The checkpoint's model with its LoRA apart from the language model, unquantised unless for QLoRA.

    Raises UsamError.
    """
    start = options.start
    adapter = load_adapter(start)
    device = choose_device(options.device)
    paths = fetch(adapter.config, lambda message, share: report(message))
    encoders = frozen_encoders(paths.encoders, adapter.config, start / SPEECH_LORA)
    llm, tokenizer = load_llm(paths.llm)
    streams = load_word_streams(paths.encoders, encoders, adapter.config) if adapter.config.words else ()
    model = USAM(adapter, llm, tokenizer, encoders, start, streams).requires_grad_(False).to(device)
    add_llm_lora(model, start, options.execution)
    return model.eval()


def choose_device(name: str | None) -> torch.device:
    """The device of that name, by default this process's own. Raises RequestError."""
    if name is None:
        return processes().device
    if processes().num_processes > 1:
        raise RequestError("Each of several processes has a device of its own; leave --device out.")
    return choose_precision("none", name).device


def tune(model: USAM, preferences: Preferences, options: TuningOptions, report: Report = print) -> Tuned:
    """Tune a model with its LoRA and write what comes of it.

    Of processes that train together the first prepares, checks, reports and writes; the others read what it
    kept, and end when it does.
    """
    first = processes().is_main_process
    report = report if first else without_words
    rounding = Rounding(model.llm)
    rounding.refresh()  # what is tuned, and stays the reference, answers as the checkpoint does
    work = options.work / fingerprint(options.start)
    preparation = Preparation(
        model,
        work,
        options.settings,
        options.replayed,
        KNOWN * options.asked_again,
        options.seed,
        report,
        options.execution,
    )
    with processes().main_process_first():
        data = preparation.all(preferences)
    learn = partial(
        run_preferences,
        model,
        data,
        options.settings,
        options.budget,
        work / "runs" / run_name(preferences, options),
        options.parts,
        options.seed,
        report,
        options.execution,
    )
    if first:
        learn_and_write(learn, preparation, data, rounding, preferences, options)
    else:
        learn()
    processes().wait_for_everyone()
    return Tuned(options.output, json.loads((options.output / RECORD).read_text("utf-8")))


def learn_and_write(
    learn: Callable[[], Watch],
    preparation: Preparation,
    data: TuningData,
    rounding: Rounding,
    preferences: Preferences,
    options: TuningOptions,
) -> None:
    """Ask the model the same before and after it learns, and write the checkpoint with the record of both."""
    model, report = preparation.model, preparation.report
    asked = imagined(model, options.asked_again, options.seed + 1)
    right = answered_right(model, asked, report)
    shown = preparation.hearable(held_out_questions(preferences, options.seed, options.examples))
    answers = likeliest_answers(model, shown, report)
    watch = learn()
    rounding.refresh()
    kept = Retention(right, answered_right(model, asked, report) if watch.result else right)
    answers_after = likeliest_answers(model, shown, report) if watch.result else answers
    first = before(data.held_pairs)
    record = {
        "parent": fingerprint(options.start),
        "rows": {
            "sha256": preferences.fingerprint,
            "counts": preferences.counts,
            "dropped": dict(preferences.dropped + preparation.dropped),
        },
        "annotators": preferences.annotators,
        "consent": CONSENT,
        "licence": licence(options.start),
        "settings": asdict(options.settings)
        | {"parts": list(options.parts), "seed": options.seed, "weights": dict(options.weights)}
        | {name: value for name, value in vars(options.budget).items() if value is not None}
        | options.execution.changes(),
        "before": figures(first),
        "after": figures(watch.result) if watch.result else None,
        "checks": [vars(check) for check in watch.checks.values()],
        "ended": watch.ended or "budget spent",
        "kept": kept.to_json(),
        "refused": reason(first, watch.result, kept),
    }
    part = write_part(model, options.output, options.start, record)
    write_examples(part, [one for one, _ in shown], answers, answers_after)
    if options.output.exists():
        options.output.rmdir()
    part.rename(options.output)


def write_part(model: USAM, folder: Path, start: Path, record: Mapping[str, Any]) -> Path:
    """Write the checkpoint under another name than its folder's, so that there is never a part of one."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    write_card(part, start)
    write_checkpoint(model, part)
    (part / ROUTING).unlink(missing_ok=True)  # measured of the parent
    write_record(part, record)
    return part


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def run_name(preferences: Preferences, options: TuningOptions) -> str:
    """Names a run by all that changes its result, so that only the same run goes on from its state."""
    numbers = asdict(options.settings) | options.execution.changes()
    settings = [numbers, list(options.parts), options.seed, vars(options.budget)]
    known = json.dumps([preferences.fingerprint, settings, options.replayed], sort_keys=True)
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def figures(check: Check) -> dict[str, Any]:
    """A check with the interval of its accuracy."""
    return {
        **vars(check),
        "accuracy": round(check.accuracy, 4),
        "interval": [round(edge, 4) for edge in wilson(check.right, check.pairs)],
        "likelier_share": round(check.likelier / max(1, check.pairs), 4),
    }


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    if not count:
        return 0.0, 1.0
    z = 1.96
    share, spread = hits / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * (share * (1 - share) / count + spread / (4 * count)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def reason(first: Check, best: Check | None, kept: Retention) -> str:
    """Why what was learned must not count, in a sentence; empty where held-out votes bear it out."""
    if first.pairs < FEWEST_HELD:
        return f"Only {first.pairs} pairs are held out: too few to tell whether anything was learned."
    if best is None:
        return (
            "Nothing was learned that holds for clips it was not learned from; the weights are the parent's."
        )
    if wilson(best.right, best.pairs)[0] <= 0.5:
        return (
            f"Held-out votes follow what was learned in {best.right} of {best.pairs} pairs: maybe by chance."
        )
    if kept.fell:
        right, of = f"{sum(kept.before)} to {sum(kept.after)}", len(kept.before)
        return f"Questions with one right answer were lost: from {right} of {of} right."
    return ""


def licence(start: Path) -> str:
    """What governs the use of the result."""
    card = start / CARD
    lines = card.read_text("utf-8").splitlines() if card.is_file() else []
    known = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("license:")), "unknown")
    return f"{known} (of the parent); learned from people's ratings of clips that they agreed to have kept."


def write_card(folder: Path, start: Path) -> None:
    """A card of its own: the parent's has figures that are not this checkpoint's."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        "---\n"
        f"license: {licence(start).split(' (')[0]}\n"
        "library_name: transformers\n"
        "tags: [audio, audio-language-model, mixture-of-experts]\n"
        "---\n\n"
        "# A checkpoint tuned from ratings\n\n"
        f"Tuned by `usam tune` from the checkpoint `{fingerprint(start)}`. [{RECORD}]({RECORD}) "
        "says from what, how, and what was measured. Evaluate it with `usam eval`.\n"
    )
    (folder / CARD).write_text(text, "utf-8")
