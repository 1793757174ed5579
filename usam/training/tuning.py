"""`python -m usam tune`: what people prefer, from an export of their judgements to a checkpoint folder."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from usam.checkpoints.fingerprint import fingerprint
from usam.checkpoints.layout import CARD, SPEECH_LORA, bundled
from usam.encoders.registry import load_word_streams
from usam.errors import AudioError, RequestError
from usam.llm.loading import load_llm
from usam.model.loading import frozen_encoders, load_adapter
from usam.model.model import USAM
from usam.quantization import choose_precision
from usam.training.lora import add_llm_lora
from usam.training.pipeline import write_checkpoint
from usam.training.preferences.clips import Heard, RatedClips, Said, asked_prompt
from usam.training.preferences.reference import References
from usam.training.preferences.replay import imagined, own_answers
from usam.training.preferences.rows import Asked, Preferences, read_preferences
from usam.training.stages.preference import (
    BY_DEFAULT,
    Check,
    Judged,
    MarkItem,
    PairItem,
    ReplayItem,
    Settings,
    ThumbItem,
    TuningData,
    before,
    run_preferences,
)
from usam.training.trainer import Budget
from usam.weights.cache import fetch

RECORD = "tuning.json"
"""What a tuned checkpoint was made from and how, beside its weights."""
REPLAYED = 120  # answers about imagined clips, and as many clips at most of which own answers are kept
HELD_REPLAY = 0.2
LONGEST_ANSWER = 512  # tokens; longer ones cost more than they teach
FEWEST_HELD = 5  # pairs, below which nothing can be said of what was learned
CONSENT = "Only clips that were kept, which is done for people who agreed to it."

Report = Callable[[str], None]


@dataclass(frozen=True)
class TuningOptions:
    """What to learn from, where to go on from, and for how long.

    export: a folder of `python -m storage export`. checkpoint: a folder to go on from, by default the
    preset's. weights, without: as of `read_preferences`.
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
    seed: int = 0

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
    if options.output.exists() and any(options.output.iterdir()):
        raise RequestError(f"The folder {options.output.name!r} is not empty; name another for the result.")
    preferences = read_preferences(options.export, options.weights, options.without)
    report(str(preferences))
    if not preferences.rows:
        raise RequestError("There is nothing to learn from: no judgement whose clip was kept.")
    model = load_tunable(options, report)
    return tune(model, preferences, options, report)


def load_tunable(options: TuningOptions, report: Report = print) -> USAM:
    """The checkpoint's model with its LoRA apart from the language model, unquantised. Raises UsamError."""
    start = options.start
    adapter = load_adapter(start)
    device = choose_precision("none", options.device).device
    paths = fetch(adapter.config.preset, lambda message, share: report(message))
    encoders = frozen_encoders(paths, adapter.config.encoder_names, start / SPEECH_LORA)
    llm, tokenizer = load_llm(paths.llm)
    streams = load_word_streams(paths, encoders) if adapter.config.words else ()
    model = USAM(adapter, llm, tokenizer, encoders, start, streams).requires_grad_(False)
    add_llm_lora(model, start)
    return model.to(device).eval()


def tune(model: USAM, preferences: Preferences, options: TuningOptions, report: Report = print) -> Tuned:
    """Tune a model with its LoRA and write what comes of it."""
    parent = fingerprint(options.start)
    work = options.work / parent
    data, dropped = prepare(model, preferences, work, options, report)
    run = work / "runs" / run_name(preferences, options)
    watch = run_preferences(
        model, data, options.settings, options.budget, run, options.parts, options.seed, report
    )
    write_card(options.output, options.start)
    write_checkpoint(model, options.output)
    first = before(data.held_pairs)
    record = {
        "parent": parent,
        "rows": {
            "sha256": preferences.fingerprint,
            "counts": preferences.counts,
            "dropped": {reason: n for reason, n in (preferences.dropped + dropped).items() if n},
        },
        "annotators": preferences.annotators,
        "consent": CONSENT,
        "licence": licence(options.start),
        "settings": asdict(options.settings)
        | {"parts": list(options.parts), "seed": options.seed, "weights": dict(options.weights)}
        | {name: value for name, value in vars(options.budget).items() if value is not None},
        "before": figures(first),
        "after": figures(watch.best) if watch.best else None,
        "checks": [vars(check) for check in watch.checks.values()],
        "ended": watch.ended or "budget spent",
        "refused": reason(first, watch.best),
    }
    write_record(options.output, record)
    return Tuned(options.output, record)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def run_name(preferences: Preferences, options: TuningOptions) -> str:
    """Names a run by all that changes its result, so that only the same run goes on from its state."""
    settings = [asdict(options.settings), list(options.parts), options.seed, vars(options.budget)]
    known = json.dumps([preferences.fingerprint, settings, options.replayed], sort_keys=True)
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def prepare(
    model: USAM, preferences: Preferences, work: Path, options: TuningOptions, report: Report = print
) -> tuple[TuningData, Counter[str]]:
    """Hear every clip, and ask the model as it is how likely it holds every answer; both are kept in `work`.

    Returns what to learn from and the rows that cannot be used, by reason.
    """
    model.eval()
    clips = RatedClips(work / "clips", model, work.name)
    references = References(work / "references", model)
    dropped: Counter[str] = Counter()
    known = {asked: clip for asked in asked_in(preferences) if (clip := heard(clips, asked)) is not None}
    report(f"heard: {len({asked.clip for asked in known})} clips")

    def said(asked: Asked, answer: str) -> Said | None:
        if asked not in known:
            dropped["audio unreadable"] += 1
            return None
        ids = model.prompts.answer(answer)
        if len(ids) > LONGEST_ANSWER:
            dropped["answer too long"] += 1
            return None
        return Said(known[asked], asked_prompt(model, asked), ids)

    pairs = []
    for pair in preferences.pairs:
        chosen, rejected = said(pair.asked, pair.chosen), said(pair.asked, pair.rejected)
        if chosen is not None and rejected is not None:
            pairs.append((pair, chosen, rejected))
    thumbs = [(thumb, one) for thumb in preferences.thumbs if (one := said(thumb.asked, thumb.answer))]
    marks = [(mark, one) for mark in preferences.marks if (one := said(mark.asked, mark.answer))]
    others = [
        replace(one, answer=thumbs[(place + 1) % len(thumbs)][1].answer)
        for place, (_, one) in enumerate(thumbs)
    ]
    training = [asked for asked in known if not asked.held_out]
    Random(options.seed).shuffle(training)
    kept = imagined(model, options.replayed, options.seed)
    own = own_answers(model, clips, training[: options.replayed // 2], work / "own", report)
    replay = kept + own
    asked_of = [
        *(chosen for _, chosen, _ in pairs),
        *(rejected for _, _, rejected in pairs),
        *(one for _, one in thumbs),
        *others,
        *replay,
    ]
    refs = iter(references.of(asked_of, report))
    ref_chosen, ref_rejected = [next(refs) for _ in pairs], [next(refs) for _ in pairs]
    ref_thumbs, ref_others = [next(refs) for _ in thumbs], [next(refs) for _ in thumbs]
    replayed = [ReplayItem(one, next(refs)) for one in replay]
    Random(options.seed).shuffle(replayed)
    held_replay = round(len(replayed) * HELD_REPLAY)
    settings = options.settings
    pair_items = [
        (
            pair.asked.held_out,
            PairItem(
                chosen,
                rejected,
                one,
                other,
                pair.weight,
                settings.corrected if pair.evidence == "correction" else settings.sft,
            ),
        )
        for (pair, chosen, rejected), one, other in zip(pairs, ref_chosen, ref_rejected, strict=True)
    ]
    judged: list[Judged] = [item for held, item in pair_items if not held]
    judged += [
        ThumbItem(one, ref, other, ref_other, thumb.desirable, thumb.weight)
        for (thumb, one), ref, other, ref_other in zip(thumbs, ref_thumbs, others, ref_others, strict=True)
        if not thumb.asked.held_out
    ]
    judged += [
        MarkItem(one.heard, one, mark.marks, mark.weight)
        for mark, one in marks
        if mark.marks and not mark.asked.held_out
    ]
    if not judged:
        raise RequestError("There is nothing to learn from: no judgement of a clip that is not held out.")
    held = [item for held, item in pair_items if held]
    report(f"held out: {len(held)} of {len(pairs)} pairs; replayed: {len(replayed)} answers")
    return TuningData(judged, replayed[held_replay:], held, replayed[:held_replay]), dropped


def asked_in(preferences: Preferences) -> list[Asked]:
    """Every question there is a judgement about, once."""
    return list({row.asked: None for row in preferences.rows})


def heard(clips: RatedClips, asked: Asked) -> Heard | None:
    try:
        return clips.heard(asked)
    except (AudioError, OSError):
        return None


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


def reason(first: Check, best: Check | None) -> str:
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
