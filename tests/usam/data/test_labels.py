"""Labels and transcripts as words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usam.data.labels import spoken_words
from usam.encoders.heads.name_words import label_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DON'T stop, it’s Tom's!", "don't stop it's tom's"),
        ("He said \"go\", and 'went' -- twice-over.", "he said go and went twice over"),
        ("Mr. Bennet refers to a gentleman", "mister bennet refers to a gentleman"),
        ("printed in 1490", None),
        ("fish & chips", None),
        ("déjà vu", None),
        ("...", None),
    ],
)
def test_spoken_words(text: str, words: str | None) -> None:
    assert spoken_words(text) == words


@given(st.text())
def test_spoken_words_are_words_and_stay_as_they_are(text: str) -> None:
    words = spoken_words(text)
    if words is not None:
        assert set(words) <= set("abcdefghijklmnopqrstuvwxyz' ")
        assert spoken_words(words) == words
        assert words == " ".join(words.split())


def test_label_words_keep_content_in_order() -> None:
    assert label_words("Footsteps in the long grass, grass") == ["footsteps", "long", "grass"]
    assert label_words("hi-hat (drum machine)") == ["hi", "hat", "drum", "machine"]
