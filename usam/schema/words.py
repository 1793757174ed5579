"""A word of a specialist: what a frozen encoder's own head predicts for a stretch of a clip."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A specialist's prediction. Times in seconds from the clip's start; confidence in [0, 1].

    `text` is what a person is shown. `before` and `after` are what the language model reads around it, the
    space or the bracket that distinguishes a spoken word from a sound's name.
    """

    start: float
    end: float
    text: str
    confidence: float
    before: str = ""
    after: str = ""

    @property
    def read(self) -> str:
        """What the language model reads."""
        return f"{self.before}{self.text}{self.after}"

    @property
    def is_place(self) -> bool:
        """Whether it says where the clip was recorded, as the audio expert's ` (in a large hall)`."""
        return self.before.startswith(" (in")

    @property
    def is_language(self) -> bool:
        """Whether it says which language is spoken, as the speech expert's ` [English]`."""
        return self.after == "]"
