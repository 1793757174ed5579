"""What a question names, listened for."""

from dataclasses import replace

import pytest
import torch

from usam.data.instructions import KIND, MUSIC, OPEN, PLAYING, SOUND, SPEAKING, TRANSCRIBE, TRANSLATE
from usam.encoders.heads.asked_names import LIKELY, asked_for, with_asked
from usam.encoders.heads.sound_classes import PLACES, VOICES
from usam.encoders.heads.sound_names import SoundNames
from usam.encoders.words import Heard, KindScores, NameScores, SoundScores

OTHERS = tuple(f"Sound {index}" for index in range(LIKELY))
CLASSES = (*VOICES, "Dog", *OTHERS, "Silence", "Music", "Piano", "Guitar", "Scary music", *PLACES)
SOUND_KIND, SPEECH_KIND = (-1.0, 1.0, -1.0), (1.0, -1.0, -1.0)


def heard(kind: tuple[float, float, float] = SOUND_KIND, **scores: float) -> Heard:
    """Two seconds of noise of a kind, with scores of classes."""
    row = torch.full((len(CLASSES),), 1e-4)
    for name, score in scores.items():
        row[CLASSES.index(name.replace("_", " "))] = score
    noise = torch.randn(32_000, generator=torch.Generator().manual_seed(0))
    sounds = SoundScores(row.expand(4, -1), CLASSES, 2.0)
    return Heard(noise, {}, sounds=sounds, kinds=KindScores(torch.tensor([kind, kind]), 1.0))


def read(clip: Heard, question: str) -> str:
    return "".join(word.read for word in with_asked(SoundNames().words(clip), asked_for(clip, question)))


def test_what_is_asked_for_is_said_where_it_is_likely() -> None:
    clip = heard(Sound_0=0.5, Dog=0.01)
    assert read(clip, "Describe the sound.") == " (sound: sound 0)"
    assert read(clip, "Do you hear a dog?") == " (sound: sound 0, dog)"
    assert read(clip, "Do you hear a piano?") == " (sound: sound 0)"  # music, and none is heard


def test_what_is_unlikely_is_not_said_when_asked_for() -> None:
    likelier = {name.replace(" ", "_"): 0.05 for name in OTHERS}
    assert "dog" not in read(heard(**likelier, Dog=0.01), "Do you hear a dog?")


def test_it_is_said_where_no_more_than_the_kind_could_be_named() -> None:
    assert read(heard(Dog=0.01), "Is there a dog?") == " (sound: dog)"


def test_it_is_said_once_and_not_of_speech() -> None:
    assert read(heard(Dog=0.9), "Is there a dog?") == " (sound: dog)"
    assert read(heard(SPEECH_KIND, Dog=0.01), "Does she speak about a dog?") == " (speech)"


def test_names_of_the_fitted_head_are_asked_for_too() -> None:
    names = NameScores(
        torch.tensor([[0.4, 0.1]]),
        ("wind chimes", "doorbell"),
        ("sound", "sound"),
        1.0,
        slope=1.0,
        offset=0.0,
    )
    clip = replace(heard(), names=names)
    assert read(clip, "Can you hear wind chimes?").endswith("wind chimes)")


@pytest.mark.parametrize(
    "question", [*KIND, *MUSIC, *OPEN, *PLAYING, *SOUND, *SPEAKING, *TRANSCRIBE, *TRANSLATE]
)
def test_questions_that_name_nothing_ask_for_nothing(question: str) -> None:
    clip = heard(**{name.replace(" ", "_"): 0.3 for name in ("Dog", *OTHERS[:5])})
    assert asked_for(clip, question) == []
