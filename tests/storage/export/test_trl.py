"""TRL takes the exports: by its own checks they are conversational, and each trainer trains on them.

Runs where trl is installed; it is no requirement, because no part of the app or its training uses it.
"""

import importlib
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
)

from storage import Feedback
from storage.export import export

data_utils = pytest.importorskip("trl.data_utils")
datasets = pytest.importorskip("datasets")

Make = Callable[..., dict[str, Any]]

TEMPLATE = (
    "{% for turn in messages %}<{{ turn['role'] }}>{{ turn['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture
def judged(feedback: Feedback, make_record: Make, tmp_path: Path) -> Feedback:
    """Follow-ups and first questions, with and without audio, in both splits; good and bad answers."""
    clip = tmp_path / "clip.wav"
    with wave.open(str(clip), "wb") as file:
        file.setparams((1, 2, 16_000, 1600, "NONE", ""))
        file.writeframes(bytes(3200))
    for number in range(24):
        record = make_record(
            f"answer {number}",
            clip=str(number),
            history=[{"question": "What?", "answer": "Dogs."}] if number % 3 == 0 else [],
        )
        heard = str(clip) if number % 2 else None
        answer = feedback.record_answer(record, annotator="me", audio_path=heard)
        correction = f"better {number}" if number % 4 else None
        feedback.rate(answer, "me", thumb=-1 if correction else 1, correction=correction)
    return feedback


@pytest.fixture
def load(judged: Feedback, tmp_path: Path) -> Callable[[str], Any]:
    def load(format: str) -> Any:
        out = tmp_path / format
        export(judged.database, format, out)
        files = {file.stem: str(file) for file in out.glob("*.jsonl")}
        return datasets.load_dataset("json", data_files=files, cache_dir=str(tmp_path / "cache"))

    return load


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    """One token a character."""
    letters = [chr(code) for code in range(32, 127)]
    backend = Tokenizer(models.WordLevel({t: i for i, t in enumerate(["<unk>", "</s>", *letters])}, "<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("</s>|."), "isolated")
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", eos_token="</s>", pad_token="</s>"
    )
    made.chat_template = TEMPLATE
    return made


@pytest.mark.parametrize("format", ["dpo", "kto", "reward"])
def test_trl_calls_every_row_conversational_and_renders_it(
    load: Callable[[str], Any], tokenizer: PreTrainedTokenizerFast, format: str
) -> None:
    for split in load(format).values():
        for row in split:
            assert data_utils.is_conversational(row)
            whole = data_utils.maybe_extract_prompt(row)
            shown = data_utils.maybe_apply_chat_template(whole, tokenizer)
            assert shown["prompt"].endswith("</s><assistant>")
            assert shown["prompt"].count("<user>") == (2 if "Dogs." in shown["prompt"] else 1)
            for key in {"chosen", "rejected", "completion"} & set(shown):
                assert shown[key].endswith("</s>")


def test_reward_rows_hold_what_the_dpo_rows_say(load: Callable[[str], Any]) -> None:
    pairs, rewards = load("dpo")["train"], load("reward")["train"]
    apart = [data_utils.extract_prompt(row) for row in rewards]
    keys = ("prompt", "chosen", "rejected")
    assert [[row[key] for key in keys] for row in apart] == [[row[key] for key in keys] for row in pairs]


@pytest.mark.slow
@pytest.mark.parametrize(("format", "name"), [("dpo", "DPO"), ("reward", "Reward"), ("kto", "KTO")])
def test_a_trainer_of_trl_trains_on_it(
    load: Callable[[str], Any],
    tokenizer: PreTrainedTokenizerFast,
    tmp_path: Path,
    format: str,
    name: str,
) -> None:
    trl = importlib.import_module("trl")
    small = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, pad_token_id=tokenizer.pad_token_id, num_labels=1,
    )  # fmt: skip
    kind = LlamaForSequenceClassification if format == "reward" else LlamaForCausalLM
    options = {
        "output_dir": str(tmp_path / "out"), "max_steps": 1, "per_device_train_batch_size": 2,
        "report_to": [], "use_cpu": True, "bf16": False, "save_strategy": "no",
    }  # fmt: skip
    more = {"ref_model": kind(small)} if format != "reward" else {}
    trainer = getattr(trl, f"{name}Trainer")(
        model=kind(small),
        args=getattr(trl, f"{name}Config")(**options),
        train_dataset=load(format)["train"],
        processing_class=tokenizer,
        **more,
    )
    assert trainer.train().global_step == 1
