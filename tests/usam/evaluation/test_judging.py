"""When an answer in words is right."""

import pytest

from usam.evaluation import judging


@pytest.mark.parametrize(
    ("answer", "label", "right"),
    [
        ("The sound of a dog barking.", "dog bark", True),
        ("The sound of a cat.", "dog bark", False),
        ("A sound.", "sound of music", False),  # a word that fits every clip names nothing
        ("one two three four five six seven eight nine ten eleven twelve dog", "dog", False),
    ],
)
def test_names(answer: str, label: str, right: bool) -> None:
    assert judging.names(answer, label) is right


def test_a_specialist_is_right_if_any_of_its_guesses_is() -> None:
    assert judging.listed(["Vehicle", "Animal", "Dog"], "dog bark")
    assert judging.family_listed(["ambient", "trumpet", "violin"], "tuba")
    assert not judging.family_listed(["ambient", "violin"], "tuba")


@pytest.mark.parametrize(
    ("answer", "right"),
    [("This is speech.", True), ("Speech or music.", False), ("This is music.", False), ("", False)],
)
def test_tells_kind(answer: str, right: bool) -> None:
    assert judging.tells_kind(answer, "speech") is right


@pytest.mark.parametrize(
    ("answer", "kind", "right"),
    [
        ("Someone says: hello", "speech", True),
        ("The sound of someone speaking.", "speech", True),
        ("The sound of a dog.", "speech", False),
        ("The sound of a bell.", "sound", True),
        ("Music: a dog playing.", "sound", True),  # the label is named
        ("Music: a flute playing.", "sound", False),
        ("A person speaking over music.", "music", False),
    ],
)
def test_describes(answer: str, kind: str, right: bool) -> None:
    assert judging.describes(answer, kind, None if kind == "speech" else "dog") is right


def test_a_mixture_needs_both_kinds() -> None:
    kinds = frozenset({"speech", "music"})
    assert judging.names_mixture("This is speech over music.", kinds, "flute")
    assert judging.names_mixture("Someone speaks while a flute plays.", kinds, "flute")
    assert not judging.names_mixture("This is music: a flute.", kinds, "flute")
    assert not judging.names_mixture("This is speech.", kinds, "flute")


@pytest.mark.parametrize(
    ("answer", "yes", "right"),
    [
        ("Yes, it is.", True, True),
        ("No.", True, False),
        ("no", False, True),
        ("Nothing", False, False),
        ("", True, False),
    ],
)
def test_yes_and_no(answer: str, yes: bool, right: bool) -> None:
    assert judging.says(answer, yes) is right


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("Nothing can be heard.", True),
        ("No speech can be heard.", True),
        ("I can't hear any words.", True),
        ("No one is speaking.", True),
        ("no i do not hear it", False),
        ("there was nothing left", False),  # a transcript with the word in it
    ],
)
def test_refuses(answer: str, refused: bool) -> None:
    assert judging.refuses(answer) is refused


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("A woman is speaking.", True),
        ("Female.", True),
        ("A man is speaking.", False),
        ("A man or a woman.", False),
        ("A human.", False),
        ("", False),
    ],
)
def test_names_speaker(answer: str, right: bool) -> None:
    assert judging.names_speaker(answer, "woman") is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [("This is Dutch.", True), ("dutch", True), ("This is German.", False), ("Dutch or German.", False)],
)
def test_names_language(answer: str, right: bool) -> None:
    assert judging.names_language(answer, "Dutch") is right


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ("A man says: I hear a dog and a flute", "speech"),
        ("Speech: a melody", "speech"),
        ("A child speaks.", "speech"),
        ("A dog is heard.", "sound"),
        ("A sound.", "sound"),
        ("The sound of music.", "music"),
        ("A trumpet plays, fast.", "music"),
        ("A flute.", "music"),
        ("First a dog, then a flute.", None),
        ("A man speaks and a dog barks.", None),
        ("A banana.", None),
        ("", None),
    ],
)
def test_names_part(answer: str, part: str | None) -> None:
    labels = {"speech": None, "sound": "dog bark", "music": "flute"}
    assert [kind for kind in labels if judging.names_part(answer, kind, labels)] == ([part] if part else [])


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("The clip does not tell.", True),
        ("I cannot tell.", True),
        ("It can't be determined from this.", True),
        ("That is not said.", True),
        ("It is not mentioned in the clip.", True),
        ("I don’t know.", True),
        ("Unknown.", True),
        ("Shakespeare.", False),
        ("The clip tells that.", False),
        ("A man says: I do not know", False),
        ("The clip does not tell, but a dog barks.", False),
        ("Nothing can be heard.", False),
        ("", False),
    ],
)
def test_declines(answer: str, right: bool) -> None:
    assert judging.declines(answer, "dog bark") is right
