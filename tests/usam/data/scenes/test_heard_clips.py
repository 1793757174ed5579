"""What a labelled clip teaches, given what the specialists say of it."""

from pathlib import Path

import pytest
import torch

from usam.adapter.speaker import SpeakerHead
from usam.config import USAMConfig
from usam.data.corpus import Example
from usam.data.scenes.heard_clips import HeardClip, believed, heard_behind, scene, unread, written
from usam.schema.segments import Kind
from usam.schema.words import Word

MARK = Word(0.1, 0.1, "English", 0.9, " [", "]")
SAID = (Word(0.1, 0.5, "Go", 0.9, " "), Word(0.5, 0.9, "home.", 0.9, " "))
BARK = (Word(0, 1, "dog barking", 0.8, " (", ")"),)


def heard(
    kind: Kind, speech: tuple[Word, ...] = (), sounds: tuple[Word, ...] = (), **about: str
) -> HeardClip:
    example = Example(
        path=Path("clip.ogg"),
        seconds=1.0,
        kind=kind,
        transcript=about.get("transcript"),
        label=about.get("label"),
        group="one",
        source=about.get("source", "somewhere"),
        licence="CC0",
        language="en",
    )
    return HeardClip(example, torch.zeros(13, 24), (speech, sounds, ()), None)


HEAD = SpeakerHead(USAMConfig())


@pytest.mark.parametrize(
    ("label", "names", "expected"),
    [
        ("Dog", ["dog barking", "growl"], ("dog", "growl")),
        ("hat_noiz", ["cymbal", "percussion"], ("cymbal", "hat_noiz", "percussion")),
        ("Siren", [], ("siren",)),
        ("siren", ["alarm", "police siren", "alarm bell", "bell"], ("siren", "alarm", "bell")),
    ],
)
def test_a_label_that_no_specialist_hears_is_not_believed_first(
    label: str, names: list[str], expected: tuple[str, ...]
) -> None:
    assert believed(label, names) == expected


def test_speech_is_written_as_it_was_heard_or_else_as_it_was_said() -> None:
    clip = heard("speech", (MARK, *SAID), transcript="go hame")
    found = scene(clip, HEAD)
    assert found is not None
    assert found.parts[0].text == "Go home."
    bare = scene(heard("speech", (MARK,), transcript="i go home"), HEAD)
    assert bare is not None
    assert bare.parts[0].text == "I go home."
    assert scene(heard("speech", (MARK,)), HEAD) is None
    mute = unread(found, "go hame")
    assert mute.words[0] == (MARK,)
    assert mute.parts[0].text == "Go hame."


def test_what_is_behind_speech_is_named_only_as_it_can_be_heard() -> None:
    assert heard_behind("Dog", ["growl", "dog barking", "dog", "wolf"]) == ("growl", "dog barking")
    assert heard_behind("Piano", ["growl"]) == ()
    assert heard_behind("Piano", []) == ()


def test_silence_is_a_scene_without_parts_and_a_sound_needs_a_label() -> None:
    silent = scene(heard("sound", source="silence"), HEAD)
    assert silent is not None
    assert silent.parts == ()
    assert scene(heard("sound", sounds=BARK), HEAD) is None
    labelled = scene(heard("sound", sounds=BARK, label="dog"), HEAD)
    assert labelled is not None
    assert labelled.parts[0].names == ("dog",)


def test_a_transcript_is_written_as_a_sentence() -> None:
    assert written("i think i'm here") == "I think I'm here."
    assert written("") == ""
