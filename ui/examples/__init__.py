"""The clips a newcomer can try with one click; their origin and licences are in examples/ATTRIBUTION.md."""

from dataclasses import dataclass
from pathlib import Path

EXAMPLE_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    label: str
    file: str
    task: str
    question: str = ""

    @property
    def path(self) -> str:
        return str(EXAMPLE_FOLDER / self.file)


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "Speech": (
        Example("The new jail", "speech-new-jail.ogg", "asr"),
        Example("Chapter one", "speech-chapter-one.ogg", "asr"),
    ),
    "Sound": (
        Example("Dog", "sound-dog.ogg", "aac"),
        Example("Heavy rain", "sound-rain.ogg", "aac"),
        Example("Siren", "sound-siren.ogg", "qa", "Do you hear a siren?"),
    ),
    "Music": (
        Example("Piano", "music-piano.ogg", "mc"),
        Example("Jazz guitar", "music-jazz-guitar.ogg", "mc"),
        Example("Fanfare", "music-fanfare.ogg", "qa", "Which instruments do you hear?"),
    ),
    "Several": (
        Example("Speech, guitar, siren", "mixed-speech-guitar-siren.ogg", "qa", "What comes first?"),
    ),
}
