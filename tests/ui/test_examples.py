"""The clips that a newcomer can try."""

from pathlib import Path

import pytest

from ui.examples import EXAMPLES
from usam.audio.clip import load_clip

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("example", [example for group in EXAMPLES.values() for example in group], ids=str)
def test_every_example_is_small_attributed_audio(example) -> None:  # type: ignore[no-untyped-def]
    file = Path(example.path)
    assert file.stat().st_size < 150_000
    assert 1.0 < load_clip(file).duration < 15.0
    assert f"| {file.name} |" in file.with_name("ATTRIBUTION.md").read_text()


def test_no_example_is_among_the_clips_trained_on() -> None:
    """Names in the held-out list are those of the data folder, so each is matched by how it ends."""
    heldout = (ROOT / "usam/checkpoints/mini/heldout.txt").read_text().split()
    endings = {
        "speech-new-jail.ogg": "LJ003_0041.ogg",
        "speech-chapter-one.ogg": "103_1240_0000_t0.ogg",
        "sound-dog.ogg": "berklee_dog2.ogg",
        "sound-rain.ogg": "weather_heavyrain.ogg",
        "sound-siren.ogg": "police_siren.ogg",
        "music-piano.ogg": "samples_piano.ogg",
        "music-jazz-guitar.ogg": "samples_jazz_guitar.ogg",
        "music-fanfare.ogg": "fanfare2.ogg",
    }
    single = [example.file for kind, group in EXAMPLES.items() if kind != "Several" for example in group]
    assert set(endings) == set(single)  # the others are made of these
    for ending in endings.values():
        assert [name for name in heldout if name.endswith(ending)], ending


def test_each_kind_has_two_examples() -> None:
    assert set(EXAMPLES) == {"Speech", "Sound", "Music", "Several"}
    assert all(len(group) >= 2 for kind, group in EXAMPLES.items() if kind != "Several")
