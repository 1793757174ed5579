"""Questions about what a clip holds: who speaks, which language, what comes first, which words, and what no
clip tells.

Where something is, how fast music is and whether someone sings is not asked: no label of the corpus tells.
"""

from collections.abc import Sequence
from functools import partial
from random import Random

from transformers.models.whisper.tokenization_whisper import LANGUAGES

from usam.encoders.heads.name_words import stem
from usam.evaluation.clips import SHORTEST_SPEECH, TestClip
from usam.evaluation.judging import declines, names_language, names_part, names_speaker, says
from usam.evaluation.questions import YES_NO_TOKENS, Question

LANGUAGE_CLIPS = 40  # of each language
UNTOLD_CLIPS = 20  # of each kind of audio
LONG_WORD = 4  # letters of a word that is asked for

WHO = ("Is it a man or a woman?", "Who is speaking?")
AGES = "Is the speaker a man, a woman or a child?"
WHICH_LANGUAGE = ("Which language is spoken?", "What language is this?")
MENTION = ("Does the speaker mention {}?", 'Is the word "{}" said?')
ABOUT_THE_SPEAKER = (
    "How tall is the speaker?",
    "What is the speaker's name?",
    "What is the speaker wearing?",
    "Where was the speaker born?",
    "How many brothers does the speaker have?",
    "What is the speaker's favourite film?",
    "How much does the speaker weigh?",
    "Which school did the speaker go to?",
)
ABOUT_THE_WORLD = (
    "Who wrote Hamlet?",
    "What is the capital of France?",
    "When was this recorded?",
    "Which microphone was used?",
    "How many planets are there?",
    "Who paid for this recording?",
    "What will the weather be tomorrow?",
    "How tall is Mount Everest?",
    "What is the square root of nine?",
    "Who owns the building?",
)


def speakers(clips: Sequence[TestClip]) -> list[Question]:
    """Whether a man or a woman speaks, as many of the one as of the other; and the same with children."""
    random = Random(0)
    by_speaker = {who: [clip for clip in clips if clip.speaker == who] for who in ("man", "woman", "child")}
    adults = min(len(by_speaker["man"]), len(by_speaker["woman"]))
    questions = []
    for who in ("man", "woman"):
        judge = partial(names_speaker, speaker=who)
        for index, clip in enumerate(random.sample(by_speaker[who], adults)):
            figures = dict.fromkeys(("speaker", f"speaker, {who}"), judge)
            questions.append(Question(clip, WHO[index % len(WHO)], judges=figures))
    count = min(map(len, by_speaker.values()))
    for who, spoken in by_speaker.items():
        judge = partial(names_speaker, speaker=who)
        questions += [
            Question(clip, AGES, judges={"man, woman or child": judge})
            for clip in random.sample(spoken, count)
        ]
    return questions


def languages(clips: Sequence[TestClip]) -> list[Question]:
    """Which language is spoken, overall and by language."""
    random = Random(0)
    questions = []
    for language in sorted({clip.language for clip in clips}):
        name = LANGUAGES[language].capitalize()
        spoken = [c for c in clips if c.language == language and c.seconds >= SHORTEST_SPEECH]
        for index, clip in enumerate(random.sample(spoken, min(LANGUAGE_CLIPS, len(spoken)))):
            figures = ("language named", f"language named, {name}")
            judges = dict.fromkeys(figures, partial(names_language, language=name))
            questions.append(Question(clip, WHICH_LANGUAGE[index % len(WHICH_LANGUAGE)], judges=judges))
    return questions


def order(clips: Sequence[TestClip]) -> list[Question]:
    """What comes first, last, and after the first or the second of three clips in a row."""
    questions = []
    for index, clip in enumerate(clips):
        labels = labels_of_parts(clip)
        before = index % (len(clip.parts) - 1)
        for place, text, part in (
            ("first", ("What comes first?", "What do you hear first?")[index % 2], clip.parts[0]),
            ("last", ("What comes last?", "What do you hear last?")[index % 2], clip.parts[-1]),
            ("after", f"What comes after {reference(clip.parts[before])}?", clip.parts[before + 1]),
        ):
            judge = partial(names_part, kind=kind_of(part), labels=labels)
            questions.append(Question(clip, text, judges=dict.fromkeys(("order", f"order, {place}"), judge)))
    return questions


def mention(clips: Sequence[TestClip]) -> list[Question]:
    """Whether a word is said: of every other clip one of its own, of the rest one that another clip's
    speaker says and this one does not. Yes is right as often as no."""
    random = Random(0)
    clips = random.sample(list(clips), len(clips))
    long_words = [_long_words(clip) for clip in clips]
    questions = []
    for index in range(0, len(clips) - 1, 2):
        own, foreign = long_words[index], set(map(stem, long_words[index + 1]))
        others = [word for found in long_words for word in found if stem(word) not in foreign]
        if not own or not others:
            continue
        for clip, word, yes in (
            (clips[index], random.choice(own), True),
            (clips[index + 1], random.choice(others), False),
        ):
            text = MENTION[index // 2 % len(MENTION)].format(word)
            questions.append(Question(clip, text, YES_NO_TOKENS, {"mention": partial(says, yes=yes)}))
    return questions


def untold(clips: Sequence[TestClip]) -> list[Question]:
    """What no clip tells: of speech every other question is about the speaker."""
    random = Random(0)
    questions: list[Question] = []
    for kind in ("speech", "sound", "music"):
        of_kind = [clip for clip in clips if clip.kinds == {kind}]
        for index, clip in enumerate(random.sample(of_kind, min(UNTOLD_CLIPS, len(of_kind)))):
            personal = kind == "speech" and index % 2 == 0
            texts = ABOUT_THE_SPEAKER if personal else ABOUT_THE_WORLD
            figures = ("does not tell", f"does not tell, {'the speaker' if personal else 'the world'}")
            judge = partial(declines, label=None if kind == "speech" else clip.label)
            text = texts[len(questions) // (2 if kind == "speech" else 1) % len(texts)]
            questions.append(Question(clip, text, judges=dict.fromkeys(figures, judge)))
    return questions


def labels_of_parts(clip: TestClip) -> dict[str, str | None]:
    """The label of each part of a clip by its kind, of speech none."""
    return {kind_of(part): part.label if kind_of(part) != "speech" else None for part in clip.parts}


def kind_of(clip: TestClip) -> str:
    [kind] = clip.kinds
    return kind


def reference(part: TestClip) -> str:
    """How a question refers to a part of a clip."""
    return f"the {part.label.lower()}" if kind_of(part) == "sound" and part.label else f"the {kind_of(part)}"


def _long_words(clip: TestClip) -> list[str]:
    """Words of a transcript that can be asked for."""
    return [word for word in (clip.transcript or "").split() if len(word) >= LONG_WORD and word.isalpha()]
