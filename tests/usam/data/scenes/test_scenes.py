"""Scenes: parts in a row at their times, what is asked of them, and scenes imagined from text."""

import re
from collections import Counter
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from usam.data.scenes import Part, Scene, joined, named, spoken, token_count
from usam.data.scenes.imagination import Imagination, Material
from usam.data.scenes.questions import Names, SceneInstructor
from usam.data.scenes.sentences import brief, listed, sentence, stopped
from usam.schema.answer import NO_SPEECH, NOTHING
from usam.schema.words import Word

TOKEN = 0.08
SOUNDS = ("dog barking", "rain", "siren", "cat meowing", "door slam", "wind", "owl", "train", "sawing", "bee")
INSTRUMENTS = ("piano", "violin", "drums", "flute", "harp", "tuba", "oboe", "banjo", "cello", "accordion")
WORDS = ("castle", "purple", "monkey", "summer", "bottle", "window", "garden", "silver")
MATERIAL = Material(
    {"English": ("The king rides home.", "Where are you going?"), "German": ("Guten Tag zusammen.", "Halt!")},
    SOUNDS,
    INSTRUMENTS,
    {"rain": ("water", "wind")},
)
INSTRUCTOR = SceneInstructor(Names(SOUNDS, INSTRUMENTS, WORDS))


def scenes() -> st.SearchStrategy[Scene]:
    return st.integers(0, 2**32).map(lambda seed: Imagination(MATERIAL, TOKEN).draw(Random(seed)))


@given(st.lists(scenes(), min_size=1, max_size=4))
def test_scenes_in_a_row_keep_their_words_and_begin_with_a_token(parts: list[Scene]) -> None:
    whole = joined(parts, TOKEN)
    assert whole.parts == tuple(part for scene in parts for part in scene.parts)
    counts = [token_count(scene, TOKEN) for scene in parts]
    assert whole.seconds == pytest.approx(sum(counts) * TOKEN)
    assert whole.seconds >= sum(scene.seconds for scene in parts) - 0.001 * len(parts)
    for expert, words in enumerate(whole.words):
        taken = iter(words)
        for index, scene in enumerate(parts):
            at = sum(counts[:index]) * TOKEN
            for word in scene.words[expert]:
                moved = next(taken)
                assert moved.read == word.read
                assert moved.start == pytest.approx(word.start + at)
                assert moved.end == pytest.approx(word.end + at)
        assert next(taken, None) is None


def test_tokens_are_joined_where_every_scene_has_some() -> None:
    word = Word(0.1, 0.2, "a", 1.0, " ")
    real = Scene((), ((word,),), 0.2, torch.ones(5, 3))
    other = Scene((), ((word,),), 0.2, torch.zeros(2, 3))
    whole = joined([real, other], TOKEN)
    assert whole.tokens is not None
    assert whole.tokens.shape == (7, 3)
    assert whole.words[0][1].start == pytest.approx(5 * TOKEN + 0.1)
    assert joined([real, Scene((), ((),), 0.2)], TOKEN).tokens is None
    assert token_count(Scene((), (), 0.0), TOKEN) == 1


def test_words_of_a_speaker_and_names_are_read_as_the_specialists_say_them() -> None:
    words, end = spoken("Good day", "English", "woman", 0.5, Random(0))
    assert "".join(word.read for word in words) == " [woman, English] Good day"
    assert words[-1].end == end > words[-1].start > 0.5
    words, _ = spoken("Tag", "German", None, 0.0, Random(0))
    assert "".join(word.read for word in words) == " [German] Tag"
    assert (
        "".join(word.read for word in named(["rain", "wind"], 0.0, 1.0, Random(0), "{", "}"))
        == " {rain, wind}"
    )


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_the_same_random_numbers_imagine_the_same_scene(seed: int) -> None:
    one, other = (Imagination(MATERIAL, TOKEN).draw(Random(seed)) for _ in range(2))
    assert one == other
    assert len(one.words) == 3
    assert all(0 <= word.start <= word.end <= one.seconds + 1e-6 for words in one.words for word in words)
    for words, brackets in zip(one.words, ("[]", "()", "{}"), strict=True):
        read = "".join(word.read for word in words)
        assert read.count(brackets[0]) == read.count(brackets[1])


def test_scenes_are_of_all_kinds() -> None:
    random, imagination = Random(0), Imagination(MATERIAL, TOKEN)
    drawn = [imagination.draw(random) for _ in range(300)]
    kinds = Counter(part.kind for scene in drawn for part in scene.parts)
    assert min(kinds.values()) > 50
    assert {len(scene.parts) for scene in drawn} == {0, 1, 2, 3}
    assert {part.language for scene in drawn for part in scene.parts} == {None, "English", "German"}
    assert {part.behind_kind for scene in drawn for part in scene.parts} == {None, "sound", "music"}


@settings(max_examples=300)
@given(scenes(), st.integers(0, 2**32))
def test_every_question_has_an_answer_in_whole_sentences(scene: Scene, seed: int) -> None:
    drawn = INSTRUCTOR.draw(scene, Random(seed))
    assert re.search(r"\w[?.]?\"?$", drawn.question), drawn.question
    assert "{" not in drawn.question
    assert drawn.answer
    assert not re.search(r"[.!?]\.|\.\.|  ", drawn.answer), drawn.answer
    assert drawn.answer == drawn.answer.strip()
    if drawn.category not in ("asr", "s2tt"):
        assert drawn.answer[-1] in ".!?…"
        assert drawn.answer[0].isupper() or drawn.category == "word"
    if not scene.parts:
        assert NOTHING in drawn.answer
    if drawn.category in ("asr", "s2tt"):
        assert drawn.answer == " ".join(part.text for part in scene.parts if part.text)


def test_names_come_with_their_kind_where_a_head_tells_it() -> None:
    random, imagination = Random(0), Imagination(MATERIAL, TOKEN, background_kinds=True, kind_head=True)
    for scene in (imagination.one(random) for _ in range(300)):
        [part] = scene.parts
        kinds = f"speech with {part.behind_kind}" if part.behind_kind else part.kind
        openings = {word.before for word in scene.words[1] if not word.is_place} - {", "}
        assert openings <= {f" ({kinds}: ", " ("}
        bare = [word.text for word in scene.words[1] if word.before == " ("]
        assert set(bare) <= {part.kind, kinds}
        assert bool(bare) or f" ({kinds}: " in openings
        if bare and part.kind == "sound":
            assert not part.names


ONE_OF = {
    "speech": Part("speech", text="The king rides home.", speaker="man", language="English"),
    "sound": Part("sound", ("rain",)),
    "music": Part("music", ("piano",), tags=("piano", "slow")),
    "speech over music": Part("speech", text="Go.", behind=("piano",), behind_kind="music"),
    "speech over a sound": Part("speech", text="Go home now.", behind=("rain",), behind_kind="sound"),
}


@pytest.mark.parametrize("name", ONE_OF)
def test_yes_is_as_often_right_as_no(name: str) -> None:
    random, draws = Random(1), 2_000
    answers = [INSTRUCTOR.yes_no([ONE_OF[name]], False, random) for _ in range(draws)]
    yes = sum(answer.answer.startswith("Yes") for answer in answers)
    assert sum(answer.answer.startswith("No") for answer in answers) == draws - yes
    assert abs(yes - draws / 2) < 4 * (draws / 4) ** 0.5


def test_yes_and_no_are_true() -> None:
    random, part = Random(2), ONE_OF["speech over a sound"]
    for _ in range(500):
        asked = INSTRUCTOR.yes_no([part], False, random)
        yes = asked.answer.startswith("Yes")
        if asked.category == "mention":
            said = {word.strip(".").lower() for word in part.text.split()}
            assert any(word in asked.question for word in said) == yes
        elif asked.category == "named":
            assert bool(re.search(r"\brain\b", asked.question)) == yes
        else:
            assert ("music" not in asked.question.lower()) == yes


def test_few_names_to_ask_about_are_enough() -> None:
    poor = SceneInstructor(Names(("rain",), ("piano",), ("castle",)))
    for seed in range(200):
        for part in ONE_OF.values():
            assert poor.yes_no([part], False, Random(seed)).answer.startswith(("Yes", "No"))


def test_a_real_clip_is_asked_about_the_names_of_real_clips() -> None:
    instructor = SceneInstructor(Names(SOUNDS, INSTRUMENTS, WORDS, ("hail",), ("oboe",)))
    random = Random(0)
    asked = [
        instructor.yes_no([ONE_OF[kind]], True, random) for kind in ("sound", "music") for _ in range(200)
    ]
    denied = {one.question for one in asked if one.category == "named" and one.answer.startswith("No")}
    assert denied
    assert all(re.search(r"\b(hail|oboe)\b", question) for question in denied)


def test_what_follows_is_asked_for_by_name_and_by_kind_unless_two_are_of_it() -> None:
    sound, speech = ONE_OF["sound"], ONE_OF["speech"]
    random = Random(0)
    assert {brief(sound, [sound, speech], random) for _ in range(50)} == {"the rain", "the sound"}
    thunder = Part("sound", ("thunder",))
    assert {brief(sound, [sound, thunder], random) for _ in range(50)} == {"the rain"}
    assert brief(Part("sound"), [sound, thunder], random) == "the sound"


def test_no_speech_is_said_of_what_holds_none_and_never_of_speech() -> None:
    random = Random(0)
    for name, part in ONE_OF.items():
        scene = Scene((part,), ((), (), ()), 2.0)
        answers = {INSTRUCTOR.draw(scene, random).answer for _ in range(300)}
        assert (NO_SPEECH in answers) == (not name.startswith("speech"))


def test_order_is_the_order_of_the_parts() -> None:
    parts = (ONE_OF["sound"], ONE_OF["speech"], ONE_OF["music"])
    asked = {}
    random = Random(0)
    for _ in range(300):
        drawn = INSTRUCTOR.order(parts, random)
        asked[drawn.category, drawn.question] = drawn.answer
    assert {answer for (kind, _), answer in asked.items() if kind == "first"} == {"Rain falls."}
    assert {answer for (kind, _), answer in asked.items() if kind == "last"} == {
        "Music with a piano plays, slow."
    }
    assert {answer for (kind, _), answer in asked.items() if kind == "order"} == {
        "Rain falls, then a man says: The king rides home, then music with a piano plays, slow."
    }
    assert asked["after", "What comes after the rain?"] == "A man says: The king rides home."
    assert asked["before", "What comes before the piano?"] == "A man says: The king rides home."
    assert {answer for (kind, _), answer in asked.items() if kind == "count"} == {
        "Three: rain, a man speaking and a piano."
    }


def test_what_is_behind_speech_is_asked_about_and_told() -> None:
    mixed = Part("speech", (), "Go home.", "man", "English", behind=("dog", "wolf"), behind_kind="sound")
    unheard = Part("speech", (), "Go home.", "man", "English", behind_kind="music")
    answers: dict[str, set[str]] = {}
    random = Random(0)
    for _ in range(400):
        drawn = INSTRUCTOR.draw(Scene((mixed,), ((), (), ()), 2.0), random)
        answers.setdefault(drawn.category, set()).add(drawn.answer)
    assert answers["mixture"] == {"This is speech with a sound behind it."}
    assert answers["behind"] == {"A dog or a wolf."}
    assert answers["open"] == {"A man says: Go home. Behind it is a dog or a wolf."}
    drawn = [INSTRUCTOR.draw(Scene((unheard,), ((), (), ()), 2.0), random) for _ in range(400)]
    assert {one.answer for one in drawn if one.category == "behind"} == {"Music."}
    assert "kind" not in {one.category for one in drawn}


def test_a_sound_does_what_a_person_would_say_it_does() -> None:
    assert sentence(Part("sound", ("dog", "wolf"))) == "a dog or a wolf barks"
    assert sentence(Part("sound", ("dog barking",))) == "the sound of dog barking is heard"
    assert sentence(Part("sound")) == "a sound is heard"


def test_lists_and_sentences() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"], "and") == "a, b and c"
    assert stopped("a man says: go") == "A man says: go."
    assert stopped("a man says: who?") == "A man says: who?"
