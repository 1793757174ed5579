"""What training shows the model: targets, instructions, imagined frames, and going on from a checkpoint."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import WhisperConfig

from tests import tiny
from usam.data.corpus import Example
from usam.data.frame_cache import FrameCache
from usam.data.instructions import Instructor, article, candidates, either
from usam.data.synthetic.instruments import LABELS, phrase
from usam.encoders import Whisper, YAMNet
from usam.encoders.whisper import FROZEN_LAYERS
from usam.llm.lora import merge_lora
from usam.model.loading import frozen_encoders
from usam.model.model import SPEECH_LORA, USAM
from usam.training.dataset import alignment_item, evened
from usam.training.lora import add_speech_lora
from usam.training.stages.batches import AlignmentItem, Pool, TokenWords, draw
from usam.training.stages.losses import token_word_loss
from usam.training.targets.imagined import kind_of, moved
from usam.training.targets.pseudo_labels import SoundTeacher
from usam.training.targets.word_targets import Targets
from usam.training.trainer import draws
from usam.training.warm_start import start_from


class Letters:
    """Word pieces that are single letters."""

    def pieces(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    word = pieces


def example(kind: str = "sound", label: str | None = None, seconds: float = 1.0) -> Example:
    return Example(Path("clip"), seconds, kind, None, label, "group", "source", "", "")  # type: ignore[arg-type]


@pytest.fixture
def targets() -> Targets:
    return Targets(Letters(), [ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz"])  # type: ignore[arg-type]


@pytest.fixture
def whisper() -> Whisper:
    torch.manual_seed(0)
    sizes = WhisperConfig(
        d_model=16, encoder_layers=FROZEN_LAYERS + 2, encoder_attention_heads=2, encoder_ffn_dim=32
    )
    return Whisper(sizes).eval().requires_grad_(False)


def letters(targets: Targets, distribution: Tensor) -> str:
    names = [chr(token) for token in targets.token_ids] + ["-"]
    return "".join(sorted(names[index] for index in distribution.nonzero()[:, 0].tolist()))


def test_a_windows_queries_say_the_labels_words_what_is_heard_and_the_kind(targets: Targets) -> None:
    item = AlignmentItem(example(), label=("ab", "cd"))
    local = targets.words({"xy": 1.0}, blank=0.0).repeat(6, 1)
    silent = torch.tensor([False] * 5 + [True])
    said = TokenWords(targets, queries=4)(item, local, silent)
    assert [letters(targets, token) for token in said] == ["ab", "cd", "xy", "-dnosu", "ab", "-"]
    assert torch.allclose(said.sum(-1), torch.ones(6))


def test_a_clip_of_nothing_says_nothing(targets: Targets) -> None:
    local = targets.words({"xy": 1.0}, blank=0.0).repeat(3, 1)
    said = TokenWords(targets, queries=4)(AlignmentItem(example()), local, torch.zeros(3, dtype=torch.bool))
    assert [letters(targets, token) for token in said] == ["-", "-", "-"]


def test_a_mixture_says_what_is_behind_the_words_before_and_after_them(
    targets: Targets, tmp_path: Path
) -> None:
    mixture = replace(example("speech"), transcript="abc", background="music")
    item = alignment_item(
        mixture, targets, FrameCache(tmp_path), SoundTeacher(YAMNet(("ab", "Silence")), targets)
    )
    assert item is not None
    assert item.classes is not None
    assert "".join(chr(targets.token_ids[index]) for index in item.classes) == "musicabcmusic"


def test_padding_has_no_part_in_the_loss_of_words(targets: Targets) -> None:
    log_probs = torch.randn(1, 4, targets.blank + 1).log_softmax(-1)
    words = targets.words({"ab": 1.0}).repeat(1, 4, 1)
    mask = torch.tensor([[True, True, False, False]])
    changed = torch.cat([log_probs[:, :2], log_probs[:, 2:] - 5], dim=1)
    assert token_word_loss(log_probs, mask, words) == token_word_loss(changed, mask, words)
    assert token_word_loss(log_probs, mask, words) != token_word_loss(log_probs - 1, mask, words)


def test_frequent_labels_are_drawn_less_often_a_clip_but_not_less_often_in_all() -> None:
    items = [AlignmentItem(example(), label=("rain",))] * 9 + [AlignmentItem(example(), label=("owl",))]
    weights = evened(items)
    assert weights[0] < weights[-1] < sum(weights[:9])


def test_batches_hold_about_the_seconds_asked_for_and_long_sounds_count_as_cut() -> None:
    items = [AlignmentItem(example(seconds=30.0), label=("rain",))]
    batch = next(draw([Pool(items, 1.0, [1.0])], 16.0, Random(0)))
    assert len(batch) == 4


def test_other_names_are_offered_once_each() -> None:
    assert candidates("Barking dog", ["dog", "wolf howl", "howling", "owl"]) == [
        "barking dog",
        "wolf howl",
        "owl",
    ]
    assert candidates(None, ["techno", "drum machine"]) == ["techno", "drum machine"]
    assert either(["rain"]) == "rain"
    assert either(["rain", "wind", "a stream"]) == "rain, or perhaps wind or a stream"


@pytest.mark.parametrize(
    ("label", "said"), [("dog", "a dog"), ("owl", "an owl"), ("keys", "keys"), ("heavy rain", "heavy rain")]
)
def test_articles_are_left_out_where_nobody_says_them(label: str, said: str) -> None:
    assert article(label) == said


def test_a_stage_that_goes_on_draws_other_batches(tmp_path: Path) -> None:
    first = draws(tmp_path, 0).random()
    assert draws(tmp_path, 0).random() == first
    assert draws(tmp_path, 1).random() != first
    torch.save({"step": 7}, tmp_path / "state.pt")
    assert draws(tmp_path, 0).random() != first


def test_named_questions_are_answered_yes_as_often_as_no_and_truly() -> None:
    instructor, random = Instructor({"sound": ["rain", "owl", "barking dog"], "music": ["oboe"]}), Random(0)
    drawn = [instructor.yes_no("sound", ["dog", "wolf"], random) for _ in range(600)]
    named = [i for i in drawn if "dog" in i.question or "owl" in i.question or "rain" in i.question]
    yes = [i for i in named if i.answer.startswith("Yes")]
    assert 0.4 < len(yes) / len(named) < 0.6
    assert all(("dog" in i.question) == (i in yes) for i in named)
    assert not any("oboe" in i.question for i in drawn)


def test_imagined_frames_are_what_the_head_calls_them() -> None:
    torch.manual_seed(0)
    yamnet = YAMNet(("Speech", "Dog", "Rain"))
    nn.init.normal_(yamnet.classifier.weight, std=0.05)
    near = torch.rand(2, 5, yamnet.dim)
    found = moved(yamnet, near, 2)
    assert (found >= 0).all()
    assert (yamnet.classifier(found).argmax(-1) == 2).all()
    assert (found - near).abs().mean() < 0.3


def test_speech_is_not_imagined_and_instruments_are_music() -> None:
    assert [kind_of(index) for index in (0, 135, 283)] == [None, "music", "sound"]


@pytest.mark.parametrize("label", LABELS)
def test_rendered_phrases_stay_in_the_instruments_range_and_in_time(label: str) -> None:
    for seed in range(5):
        notes, channel, program = phrase(label, np.random.default_rng(seed))
        assert notes
        assert all(0 <= start < end and 0 < key < 128 and 0 < loud < 128 for start, end, key, loud in notes)
        assert channel in (0, 9)
        assert 0 <= program < 128


def test_whispers_upper_layers_take_up_where_the_lower_end_whatever_the_padding(whisper: Whisper) -> None:
    waveform = torch.randn(16_000).mul(0.1)
    whole = whisper.frames(waveform)
    hidden = whisper.lower(waveform)
    padded = torch.nn.functional.pad(hidden, (0, 0, 0, 13))[None]
    mask = torch.arange(len(hidden) + 13)[None] < len(hidden)
    assert torch.allclose(whisper.upper(padded, mask)[0, : len(hidden)], whole, atol=1e-5)


def test_only_the_upper_layers_are_tuned_and_come_back_merged(whisper: Whisper, tmp_path: Path) -> None:
    waveform = torch.randn(8_000).mul(0.1)
    lower, before = whisper.lower(waveform), whisper.frames(waveform)
    model = USAM(tiny.adapter(), tiny.llm(), tiny.tokenizer(), [whisper])
    base = {name: value.clone() for name, value in whisper.encoder.state_dict().items()}
    add_speech_lora(model)
    for name, parameter in whisper.named_parameters():
        if "lora_B" in name:
            assert int(name.split(".layers.")[1].split(".")[0]) >= FROZEN_LAYERS
            nn.init.normal_(parameter, std=0.3)
    tuned = whisper.frames(waveform)
    assert torch.equal(whisper.lower(waveform), lower)
    assert not torch.allclose(tuned, before, atol=1e-3)
    model.save_pretrained(tmp_path)
    again = Whisper(whisper.encoder.config)
    again.encoder.load_state_dict(base)
    again.encoder = merge_lora(again.encoder, tmp_path / SPEECH_LORA)  # type: ignore[assignment]
    assert torch.allclose(again.eval().frames(waveform), tuned, atol=1e-4)


def test_a_checkpoint_goes_on_as_it_was_with_more_words_and_a_silent_new_path(tmp_path: Path) -> None:
    old = tiny.adapter()
    old.save_pretrained(tmp_path)
    words = old.anchor.token_ids.tolist()  # type: ignore[union-attr]
    new = start_from(tmp_path, [*words, 90, 91]).eval()
    frames, mask = torch.randn(1, 32, sum(tiny.DIMS)), torch.ones(1, 32, dtype=torch.bool)
    assert new.qformer.slow is not None
    assert torch.allclose(new.encode(frames, mask)[0], old.encode(frames, mask)[0], atol=1e-6)
    assert new.anchor.token_ids.tolist() == [*words, 90, 91]  # type: ignore[union-attr]


def test_the_encoders_that_answer_are_those_of_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a LoRA folder nothing is merged."""
    parts = tuple(nn.Linear(1, 1) for _ in range(3))
    for part, role in zip(parts, ("speech", "audio", "music"), strict=True):
        part.role = role  # type: ignore[assignment]
    monkeypatch.setattr("usam.model.loading.load_encoders", lambda paths, names: parts)
    whisper, yamnet, _ = frozen_encoders(None, (), Path("nowhere"))  # type: ignore[arg-type]
    assert whisper.weight.dtype == torch.bfloat16  # type: ignore[attr-defined]
    assert yamnet.weight.dtype == torch.float32  # type: ignore[attr-defined]
