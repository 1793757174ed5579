"""An answer's trace in words."""

from tests.ui.heard import clip, entry
from ui.inspector.summary import describe


def test_the_picture_in_words_says_load_and_redundancy() -> None:
    words = describe(entry("a", clip(2.0)).answer)
    assert words.startswith("Mel spectrogram of 0.0–2.0 s of 2.0 s with 13 audio tokens.")
    assert "expert 1" in words
    assert "tokens are redundant" in words
