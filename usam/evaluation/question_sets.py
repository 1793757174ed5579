"""What is asked about the test clips.

Yes/no questions come as often with yes as with no. Every draw has a fixed seed, so that two checkpoints
meet the same questions.
"""

from collections.abc import Sequence
from functools import partial
from random import Random

from usam.data.instructions import KIND, article, family
from usam.evaluation.clips import TestClip, TestSet, voiced
from usam.evaluation.content_questions import languages, mention, order, speakers, untold
from usam.evaluation.free_questions import free_questions
from usam.evaluation.judging import (
    describes,
    different,
    family_listed,
    first_words,
    names,
    names_mixture,
    refuses,
    says,
    tells_kind,
)
from usam.evaluation.questions import TRANSCRIPT_TOKENS, YES_NO_TOKENS, Judge, Question
from usam.schema.tasks import TASKS

SPEAKERS = {
    "dc_tts_reader": "native read speech",
    "fsdd": "digits",
    "picovoice_wakeword": "wake words",
    "speechocean762": "accented",
}
LANGUAGES = {"cs": "Czech", "nl": "Dutch"}


def question_sets(clips: TestSet) -> dict[str, list[Question]]:
    """All questions, by what they are about; yes/no in equal parts about presence and about named things."""
    named = things(clips.single)
    return {
        "transcription": transcription(clips.single),
        "sounds": sounds(clips.of("sound")),
        "instruments": instruments(clips.of("music")),
        "captions": captions(clips.single),
        "foreign": foreign(clips.foreign),
        "translation": translation(clips.foreign),
        "kind": kind(clips.single),
        "mixtures": mixtures(clips.mixed),
        "presence": presence(clips.single, len(named) // 4),
        "things": named,
        "open": open_questions(clips.single),
        "refusal": refusal(clips),
        "speakers": speakers(clips.speakers),
        "languages": languages([*clips.sentences, *clips.foreign]),
        "order": order(clips.composites),
        "mention": mention(clips.sentences),
        "untold": untold(clips.single),
        "free": free_questions(clips),
    }


def transcription(clips: Sequence[TestClip]) -> list[Question]:
    """Speech with a known transcript, overall and by who speaks."""
    return [
        Question(
            clip,
            TASKS["asr"].prompt,
            TRANSCRIPT_TOKENS,
            transcribed=["transcription"]
            + [f"transcription, {SPEAKERS[source]}" for source in [clip.source] if source in SPEAKERS],
            task="asr",
        )
        for clip in clips
        if clip.transcript
    ]


def sounds(clips: Sequence[TestClip]) -> list[Question]:
    return [
        Question(clip, "What sound is this?", judges={"sound named": partial(names, label=clip.label)})
        for clip in clips
        if clip.label
    ]


def instruments(clips: Sequence[TestClip]) -> list[Question]:
    """One question for both figures; the family is judged where the label has one."""
    questions = []
    for clip in clips:
        if not clip.label:
            continue
        judges: dict[str, Judge] = {"instrument named": partial(names, label=clip.label)}
        if family(clip.label):
            judges["instrument family named"] = partial(_family_named, label=clip.label)
        questions.append(Question(clip, "What instrument is this?", judges=judges))
    return questions


def captions(clips: Sequence[TestClip]) -> list[Question]:
    """What the tasks of describing ask: whether the description names what is heard."""
    return [
        Question(
            clip,
            TASKS[task].prompt,
            judges=dict.fromkeys(("caption", f"caption, {kind}"), partial(names, label=clip.label)),
            task=task,
        )
        for kind, task in (("sound", "aac"), ("music", "mc"))
        for clip in clips
        if clip.kinds == {kind} and clip.label
    ]


def foreign(clips: Sequence[TestClip]) -> list[Question]:
    """Speech in other languages written down, overall and by language: asked as of any speech, and with the
    language named by who asks."""
    return [
        Question(
            clip,
            prompt,
            TRANSCRIPT_TOKENS,
            spelled=[f"transcription, {name}{named} (CER)" for name in ("other languages", language)],
            task="asr",
        )
        for clip in clips
        for language in [LANGUAGES[clip.language]]
        for prompt, named in (
            (TASKS["asr"].prompt, ""),
            (f"Write down the {language} speech.", ", named in the question"),
        )
    ]


def translation(clips: Sequence[TestClip]) -> list[Question]:
    """Foreign speech into English, overall and by language: asked as of any speech, and with the language
    named by who asks."""
    return [
        Question(
            clip,
            prompt.format(language),
            TRANSCRIPT_TOKENS,
            translated=(f"translation{named}", f"translation, {language}{named}"),
            task="s2tt",
        )
        for prompt, named in (
            (TASKS["s2tt"].prompt, ""),
            ("Translate the {} speech into English.", ", named in the question"),
        )
        for clip in clips
        for language in [LANGUAGES[clip.language]]
    ]


def kind(clips: Sequence[TestClip]) -> list[Question]:
    """Each clip under one of the wordings."""
    wording = Random(0)
    questions = []
    for clip in clips:
        [truth] = clip.kinds
        judge = partial(tells_kind, kind=truth)
        figures = ("kind told", f"kind told, {truth}")
        questions.append(Question(clip, wording.choice(KIND), judges=dict.fromkeys(figures, judge)))
    return questions


def mixtures(clips: Sequence[TestClip]) -> list[Question]:
    """Figures of their own: two kinds have to be named."""
    wording = Random(0)
    questions = []
    for clip in clips:
        sort = "speech over music" if "music" in clip.kinds else "sound behind speech"
        judge = partial(names_mixture, kinds=clip.kinds, label=clip.label)
        figures = ("mixture told", f"mixture told, {sort}")
        questions.append(Question(clip, wording.choice(KIND), judges=dict.fromkeys(figures, judge)))
    return questions


def presence(clips: Sequence[TestClip], most: int) -> list[Question]:
    """Whether someone speaks, whether music plays: as many clips where that is so as where it is not.

    At most `most` clips of each of the four cases.
    """
    random = Random(0)
    questions = []
    for about, text in (("speech", "Is someone speaking?"), ("music", "Is this music?")):
        there = [clip for clip in clips if about in clip.kinds]
        absent = [clip for clip in clips if about not in clip.kinds and not voiced(clip)]
        for clip, yes in balanced(there, absent, most, random):
            judge = partial(says, yes=yes)
            questions.append(
                Question(clip, text, YES_NO_TOKENS, dict.fromkeys(("yes/no", "yes/no, presence"), judge))
            )
    return questions


def balanced(
    there: Sequence[TestClip], absent: Sequence[TestClip], most: int, random: Random
) -> list[tuple[TestClip, bool]]:
    """Clips with whether yes is right, drawn from both sides: yes as often as no, each at most `most`."""
    count = min(len(there), len(absent), most)
    return [
        (clip, yes) for side, yes in ((there, True), (absent, False)) for clip in random.sample(side, count)
    ]


def things(clips: Sequence[TestClip]) -> list[Question]:
    """`Do you hear a dog?` of every other sound and instrument by its own label, of the rest by another's.

    The other label is one of the same kind of audio that shares no word and no family with the true one,
    drawn as often as it is a label, so that the question alone gives nothing away.
    """
    random = Random(0)
    questions = []
    for about in ("sound", "music"):
        labelled = [clip for clip in clips if clip.kinds == {about} and clip.label]
        random.shuffle(labelled)
        labels = [clip.label or "" for clip in labelled]
        pairs = []
        for mine, theirs in zip(labelled[::2], labelled[1::2], strict=False):
            others = [label for label in labels if different(label, theirs.label or "")]
            if others:  # in pairs, so that yes never outnumbers no
                pairs += [(mine, mine.label or "", True), (theirs, random.choice(others), False)]
        for clip, label, yes in pairs:
            text = f"Do you hear {article(label.lower())}?"
            judge = partial(says, yes=yes)
            questions.append(
                Question(clip, text, YES_NO_TOKENS, dict.fromkeys(("yes/no", "yes/no, named thing"), judge))
            )
    return questions


def open_questions(clips: Sequence[TestClip]) -> list[Question]:
    questions = []
    for clip in clips:
        [truth] = clip.kinds
        judge = partial(describes, kind=truth, label=None if truth == "speech" else clip.label)
        figures = ("open question", f"open question, {truth}")
        questions.append(Question(clip, TASKS["qa"].prompt, judges=dict.fromkeys(figures, judge)))
    return questions


def refusal(clips: TestSet) -> list[Question]:
    """Asked what is heard in silence, and to write down what nobody says."""
    unspoken = [clip for clip in clips.single if "speech" not in clip.kinds and not voiced(clip)]
    heard = [Question(c, TASKS["qa"].prompt, judges={"nothing heard": refuses}) for c in clips.silent]
    return heard + [
        Question(clip, TASKS["asr"].prompt, task="asr", judges={"no speech to write down": refuses})
        for clip in [*clips.silent, *unspoken]
    ]


def _family_named(answer: str, label: str) -> bool:
    return family_listed([first_words(answer)], label)
