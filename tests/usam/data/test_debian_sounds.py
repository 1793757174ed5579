"""Labels of the sounds inside Debian packages, from their files' names."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from usam.data.corpus import CorpusError
from usam.data.debian_sounds import read_drumkits, read_packages


def write(path: Path, seconds: float = 0.2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "OGG" if path.suffix == ".oga" else None
    soundfile.write(path, np.zeros(round(16_000 * seconds)), 16_000, format=kind)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("ForzeeStereo/CrashRide18Bell-0.wav", "ride cymbal bell"),
        ("ForzeeStereo/SnareRim-2.wav", "snare drum rimshot"),
        ("Millo/bd_01.flac", "bass drum"),
        ("Millo/tom1_1.flac", "tom drum"),
        ("Pearl/SabianHatClosed-Med.wav", "hi-hat"),
        ("Gimme/Maraca-Hardest.wav", "maracas"),
    ],
)
def test_a_drum_is_told_by_its_file(tmp_path: Path, name: str, label: str) -> None:
    write(tmp_path / "hydrogen/data/drumkits" / name)
    write(tmp_path / "hydrogen/data/drumkits/rumpf/beats_06-27.flac")  # says nothing of the drum
    (hit,) = read_drumkits(tmp_path)
    assert (hit.kind, hit.label, hit.seconds) == ("music", label, pytest.approx(0.2))


def test_takes_of_one_drum_in_one_kit_are_a_group(tmp_path: Path) -> None:
    for name in ("A/Kick-1.wav", "A/Kick-2.wav", "B/Kick-1.wav"):
        write(tmp_path / "hydrogen/data/drumkits" / name)
    groups = [hit.group for hit in read_drumkits(tmp_path)]
    assert groups[0] == groups[1] != groups[2]


def test_numbered_and_plain_effects_are_read_and_long_or_unnamed_ones_left(tmp_path: Path) -> None:
    write(tmp_path / "minetest/games/game/default_break_glass.2.ogg")
    write(tmp_path / "games/supertux2/sounds/thunder.wav")
    write(tmp_path / "games/supertux2/sounds/rain.wav", seconds=16)
    write(tmp_path / "games/supertux2/sounds/upgrade.wav")
    found = {(e.kind, e.label) for e in read_packages(tmp_path)}
    assert found == {("sound", "glass breaking"), ("sound", "thunder")}


def test_what_desktops_signal_with_is_a_sound_and_their_voices_are_left(tmp_path: Path) -> None:
    write(tmp_path / "sounds/freedesktop/stereo/phone-incoming-call.oga")
    write(tmp_path / "sounds/freedesktop/stereo/audio-channel-front-left.oga")
    write(tmp_path / "sounds/Oxygen-Sys-App-Error.ogg")
    write(tmp_path / "sounds/Oxygen-Sys-Log-In.ogg")
    write(tmp_path / "psi-plus/sound/email.wav")
    found = {(e.kind, e.label) for e in read_packages(tmp_path)}
    assert found == {
        ("sound", "telephone ringing"),
        ("sound", "warning chime"),
        ("sound", "notification chime"),
    }


def test_missing_kits_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="hydrogen-drumkits"):
        read_drumkits(tmp_path)
