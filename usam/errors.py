"""Errors a person can act on. Each message is one plain sentence that the app or the CLI shows as it is."""


class UsamError(Exception):
    """Base of every expected failure; `str(error)` is the sentence to show."""


class AudioError(UsamError):
    """The clip cannot be used: empty, corrupt, too short, too large, or not audio."""


class WeightsError(UsamError):
    """Pretrained weights are missing, cannot be fetched, or do not match their hash."""


class NumericalError(UsamError):
    """The model computed values that are not numbers, so its output cannot be used."""

    def __init__(self, part: str) -> None:
        super().__init__(
            f"The {part} computed values that are not numbers, so there is no answer: its weights may be "
            "damaged, or the precision does not suit this device."
        )


class RequestError(UsamError):
    """The question, task or option asked for is not one the model can take."""
