"""Synthetic speech: texts that say how they are spoken, degradations, and a run that can stop and go on."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st

from usam.audio.samples import SAMPLE_RATE
from usam.data import augmentation as augment
from usam.data.corpus import read_synthesis
from usam.data.labels import spoken_words
from usam.data.synthetic import voices
from usam.data.synthetic.grammar import everyday_sentence, plural, spell_number
from usam.data.synthetic.sentences import Sentences, clean_sentences
from usam.data.synthetic.speech import UtteranceGenerator, synthesize
from usam.data.synthetic.voices import Speech, SpeechSynthesizer, SynthesisError


def hum(text: str, tempo: float, rng: np.random.Generator) -> tuple[Speech, str]:
    """A voice that hums 0.1 s a letter, and fails on questions."""
    if "?" in text:
        raise SynthesisError("no questions")
    time = np.arange(round(2205 * len(text) / tempo)) / 22050
    return (np.sin(2 * np.pi * 150 * time).astype(np.float32), 22050), "hum"


@pytest.fixture
def generator() -> UtteranceGenerator:
    synthesizer = SpeechSynthesizer(
        name="hum", share=1.0, package="none", installed=lambda: True, speak=hum, licence="CC0"
    )
    return UtteranceGenerator([synthesizer], Sentences({}), seed=7)


def test_a_stopped_run_goes_on_to_the_same_result(generator: UtteranceGenerator, tmp_path: Path) -> None:
    synthesize(generator, tmp_path / "whole", hours=0.02)
    synthesize(generator, tmp_path / "parts", hours=0.008)
    with (tmp_path / "parts/manifest.jsonl").open("a", encoding="utf-8") as manifest:
        manifest.write('{"path": "000/00')  # cut off by a crash
    synthesize(generator, tmp_path / "parts", hours=0.02)
    whole, parts = ((tmp_path / run / "manifest.jsonl").read_text() for run in ("whole", "parts"))
    assert whole == parts
    examples = read_synthesis(tmp_path / "parts")
    assert len({one.path for one in examples}) == len(examples) > 5
    for one in examples:
        samples, rate = soundfile.read(one.path)
        assert rate == SAMPLE_RATE
        assert len(samples) / rate == pytest.approx(one.seconds, abs=1e-3)
        assert np.abs(samples).max() <= 1
    texts = [json.loads(line)["text"] for line in whole.splitlines()]
    assert not any("?" in text for text in texts)
    assert [one.transcript for one in examples] == [spoken_words(text) for text in texts]


def test_missing_synthesisers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        voices,
        "SYNTHESIZERS",
        [SpeechSynthesizer("piper", 1.0, "piper-tts (pip)", lambda: False, hum, "MIT")],
    )
    with pytest.raises(SynthesisError, match=r"piper-tts \(pip\)"):
        voices.available_synthesizers()


@given(st.integers(0, 2**32 - 1))
def test_everyday_sentences_say_how_they_are_spoken(seed: int) -> None:
    sentence = everyday_sentence(np.random.default_rng(seed))
    assert spoken_words(sentence)
    assert "{" not in sentence
    assert sentence[0].isupper()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (86, "eighty-six"),
        (700, "seven hundred"),
        (4207, "four thousand two hundred seven"),
        (120_015, "one hundred twenty thousand fifteen"),
    ],
)
def test_spell_number(number: int, words: str) -> None:
    assert spell_number(number) == words


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("key", "keys"),
        ("fox", "foxes"),
        ("puppy", "puppies"),
        ("shelf", "shelves"),
        ("roof", "roofs"),
        ("knife", "knives"),
    ],
)
def test_plural(one: str, many: str) -> None:
    assert plural(one) == many


def test_clean_sentences_drops_what_is_not_read_as_written() -> None:
    text = (
        "It was a dark night. See www.example.org for more. He paid 20 dollars for it. "
        'THIS IS MADNESS, he said. "Come home," she said.  No. The regexp matches foo_bar always. Was it you?'
    )
    assert list(clean_sentences(text)) == ["It was a dark night.", 'Come home," she said.', "Was it you?"]


def test_clean_sentences_drops_other_languages() -> None:
    vocabulary = frozenset(["it", "was", "a", "dark", "night"])
    text = "It was a dark night. Es war einmal mitten im tiefen Winter."
    assert list(clean_sentences(text, vocabulary)) == ["It was a dark night."]


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_degraded_speech_stays_within_range(seed: int, recorded: bool) -> None:
    rng = np.random.default_rng(seed)
    voice = torch.sin(torch.arange(8000) / 16)
    heard = augment.degrade(voice, rng, torch.rand(3000) if recorded else None)
    assert 8000 <= len(heard) <= 8000 + 1.2 * SAMPLE_RATE
    peak = 20 * float(torch.log10(heard.abs().max()))
    assert -30.01 <= peak <= -2.99


def test_mix_sets_the_ratio() -> None:
    rng = np.random.default_rng(0)
    voice, noise = torch.ones(1000), augment.coloured_noise(1000, 0.5, rng)
    added = augment.mix(voice, noise, 20) - voice
    assert 20 * torch.log10(voice.norm() / added.norm()) == pytest.approx(20, abs=0.01)


def test_telephone_keeps_only_its_band() -> None:
    time = torch.arange(16000) / SAMPLE_RATE
    inside, outside = torch.sin(2 * torch.pi * 1000 * time), torch.sin(2 * torch.pi * 6000 * time)
    assert augment.telephone(inside, companded=False).norm() > 0.95 * inside.norm()
    assert augment.telephone(outside, companded=True).norm() < 0.05 * outside.norm()


def test_speed_shortens_and_raises() -> None:
    tone = torch.sin(2 * torch.pi * 200 * torch.arange(22050) / 22050)
    fast = augment.change_speed(tone, 22050, 1.25)
    assert len(fast) == pytest.approx(SAMPLE_RATE / 1.25, rel=0.01)
    peak = torch.fft.rfft(fast).abs().argmax() * SAMPLE_RATE / len(fast)
    assert float(peak) == pytest.approx(250, abs=3)
