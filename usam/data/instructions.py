"""Questions about a clip and the answers its labels give: many phrasings, yes as often as no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from usam.data.corpus import Example
from usam.encoders.heads.name_words import label_words, stem
from usam.schema.answer import NO_SPEECH, NOTHING
from usam.schema.segments import Kind
from usam.schema.tasks import TASKS

TRANSCRIBE = (
    TASKS["asr"].prompt,
    "Transcribe the audio.",
    "Transcribe the speech.",
    "What does the person say?",
    "What is being said?",
    "What are they saying?",
    "Please transcribe this clip.",
    "Type out the words you hear.",
    "Which words are spoken?",
    "Repeat what the speaker says.",
    "Write it down, please.",
    "What was said?",
    "Give me the transcript.",
    "What do they say, word for word?",
    "Can you write out the speech?",
    "Quote the speaker.",
    "What did the speaker say?",
)
TRANSLATE = (
    TASKS["s2tt"].prompt,
    "What does this mean in English?",
    "Translate this.",
    "Put this into English.",
    "English translation, please.",
    "How would you say this in English?",
    "Translate what is said.",
)
KIND = (
    "What kind of audio is this?",
    "Is this speech, sound or music?",
    "Is this speech, music or a sound?",
    "Is it music, speech or a sound effect?",
    "What type of audio is it: speech, sound or music?",
    "Speech, sound or music?",
    "Tell me whether this is speech, sound or music.",
    "Classify this clip as speech, sound or music.",
    "Is this a voice, a piece of music or a noise?",
    "Which of these is it: speech, sound, music?",
    "Speech, music, or something else?",
)
SOUND = (
    TASKS["aac"].prompt,
    "What sound is this?",
    "What is this sound?",
    "What makes this sound?",
    "Which sound do you hear?",
    "Name the sound.",
    "What is the source of this sound?",
    "What could have made this noise?",
    "Caption this sound.",
    "Identify the sound.",
    "What was that noise?",
    "What do you think makes that noise?",
    "Describe this sound.",
)
MUSIC = (
    TASKS["mc"].prompt,
    "Which instrument is playing?",
    "What instrument is this?",
    "What instrument do you hear?",
    "Name the instrument.",
    "What is being played?",
    "Caption this music.",
    "Identify the instrument.",
    "What are they playing?",
    "What am I hearing played?",
    "Describe the music.",
)
OPEN = (
    TASKS["qa"].prompt,
    "What is this?",
    "Describe what you hear.",
    "What is in this clip?",
    "Describe the audio.",
    "What can you tell me about this audio?",
    "Tell me what you hear.",
    "What is there to hear?",
    "What is on the recording?",
)
FAMILY = ("Which family of instruments is this?", "What instrument family is it from?")
SPEAKING = (
    "Is someone speaking?",
    "Does anybody talk?",
    "Is there speech in this clip?",
    "Do you hear a voice?",
    "Is anyone talking?",
    "Does it contain speech?",
    "Can a voice be heard?",
    "Is there a person speaking?",
)
PLAYING = (
    "Is this music?",
    "Is music playing?",
    "Do you hear a musical instrument?",
    "Is there any music?",
    "Does it contain music?",
    "Can you hear music?",
)

KIND_ANSWER = {"speech": "This is speech.", "sound": "This is a sound.", "music": "This is music."}

FAMILIES = {
    "strings": (
        "guitar violin cello viola harp banjo mandolin ukulele bass contrabass sitar fiddle strings"
    ).split(),
    "keyboards": "piano organ harpsichord clavinet keyboard celesta accordion harmonica".split(),
    "woodwinds": "flute clarinet oboe bassoon saxophone sax piccolo recorder whistle didgeridoo".split(),
    "brass": "trumpet trombone tuba horn bugle cornet".split(),
    "percussion": (
        "drum drums snare hi-hat hat cymbal tom kick conga bongo tambourine maraca maracas cowbell gong "
        "timpani marimba xylophone vibraphone glockenspiel chimes bell claves clave cabasa guiro triangle "
        "shaker rimshot clap crash ride woodblock castanets djembe tabla percussion"
    ).split(),
}


_MASS_NOUNS = frozenset(
    (
        "rain thunder water wind fire steam noise music speech glass paper gravel snow grass metal wood "
        "laughter applause traffic static silence surf fireworks percussion techno jazz opera disco funk"
    ).split()
)


@dataclass(frozen=True)
class Instruction:
    """A question, the answer to learn, and the kind of question it is (the log keeps a loss for each)."""

    category: str
    question: str
    answer: str


def family(label: str) -> str | None:
    """The instrument family a label's last instrument word belongs to, if any."""
    for word in reversed(label_words(label)):
        for name, members in FAMILIES.items():
            if word in members or word.rstrip("s") in members:
                return name
    return None


def article(label: str) -> str:
    """`a dog barking`, `an oboe`; plurals, mass nouns and what is happening are left bare."""
    words = label.split()
    head = words[-1] if words else ""
    bare = head in _MASS_NOUNS or head.endswith("ing") or (head.endswith("s") and not head.endswith("ss"))
    return label if bare or words[0] in _MASS_NOUNS else f"{'an' if label[:1] in 'aeiou' else 'a'} {label}"


class Instructor:
    """Draws one instruction for a clip.

    `labels` are other clips' labels by kind of audio, for questions answered no: of the same kind, so that
    telling sound from music does not answer them.
    """

    def __init__(self, labels: Mapping[Kind, Sequence[str]]) -> None:
        self.labels = labels

    def draw(self, example: Example, heard: Sequence[str], random: Random) -> Instruction:
        """One instruction for a clip; `heard` are other names it might go by, the surest first."""
        if example.source == "silence":
            return self.silence(random)
        if example.background is not None:
            return self.mixture(example, random)
        if example.kind == "speech":
            return self.speech(example, random)
        names = candidates(example.label, heard)
        return self.sound(names, random) if example.kind == "sound" else self.music(names, random)

    def silence(self, random: Random) -> Instruction:
        question = random.choice(TRANSCRIBE + SOUND + MUSIC + OPEN + KIND + TRANSLATE)
        if random.random() < 0.3:
            return Instruction("yesno", random.choice(SPEAKING + PLAYING), f"No. {NOTHING}")
        return Instruction("nothing", question, NOTHING)

    def mixture(self, example: Example, random: Random) -> Instruction:
        """Speech with something behind it: both are told."""
        behind = "music" if example.background == "music" else f"the sound of {(example.label or '').lower()}"
        draw = random.random()
        if draw < 0.4:
            answer = (
                "This is speech over music."
                if behind == "music"
                else "This is speech with a sound behind it."
            )
            return Instruction("mixture", random.choice(KIND), answer)
        if draw < 0.6:
            about: Kind = random.choice(("speech", "music"))
            verdict = "Yes" if about == "speech" or behind == "music" else "No"
            question = random.choice(SPEAKING if about == "speech" else PLAYING)
            return Instruction("yesno", question, f"{verdict}, this is speech over {behind}.")
        if draw < 0.8:
            answer = f"Someone says: {example.transcript}. Behind it, {behind}."
            return Instruction("open", random.choice(OPEN), answer)
        return Instruction("asr", random.choice(TRANSCRIBE), example.transcript or "")

    def speech(self, example: Example, random: Random) -> Instruction:
        text = example.transcript
        draw = random.random()
        if text is None or draw < 0.25:
            return Instruction("kind", random.choice(KIND), KIND_ANSWER["speech"])
        if draw < 0.33:
            return self.yes_no("speech", (), random)
        if draw < 0.43:
            return Instruction("open", random.choice(OPEN), f"Someone says: {text}")
        if draw < 0.45:
            return Instruction("s2tt", random.choice(TRANSLATE), example.translation or text)
        if draw < 0.47:
            return Instruction("describe", random.choice(SOUND[:1] + MUSIC[:1]), f"A person speaking: {text}")
        return Instruction("asr", random.choice(TRANSCRIBE), text)

    def sound(self, names: Sequence[str], random: Random) -> Instruction:
        draw = random.random()
        if draw < 0.2:
            return Instruction("kind", random.choice(KIND), KIND_ANSWER["sound"])
        if draw < 0.4:
            return self.yes_no("sound", names, random)
        if draw < 0.45:
            return Instruction("nospeech", random.choice(TRANSCRIBE + TRANSLATE), NO_SPEECH)
        answer = f"The sound of {either(names)}."
        if draw < 0.6:
            return Instruction("open", random.choice(OPEN), answer)
        return Instruction("sound", random.choice(SOUND), answer)

    def music(self, names: Sequence[str], random: Random) -> Instruction:
        draw = random.random()
        if draw < 0.2:
            return Instruction("kind", random.choice(KIND), KIND_ANSWER["music"])
        if draw < 0.4:
            return self.yes_no("music", names, random)
        if draw < 0.45:
            return Instruction("nospeech", random.choice(TRANSCRIBE + TRANSLATE), NO_SPEECH)
        group = family(names[0])
        if draw < 0.55 and group:
            return Instruction("family", random.choice(FAMILY), f"{group.capitalize()}.")
        answer = f"Music: {either([article(name) for name in names])}."
        if draw < 0.67:
            return Instruction("open", random.choice(OPEN), answer)
        return Instruction("music", random.choice(MUSIC), answer)

    def yes_no(self, kind: Kind, names: Sequence[str], random: Random) -> Instruction:
        """Half yes, half no, over whether someone speaks, music plays, or a named thing is heard."""
        yes = random.random() < 0.5
        if names and random.random() < 0.6:
            drawn = random.sample(self.labels[kind], min(8, len(self.labels[kind])))
            others = [label for label in drawn if not same_name(label, names)]
            asked = names[0] if yes or not others else others[0]
            question = random.choice(
                ("Do you hear {}?", "Is this the sound of {}?", "Is this {}?", "Can you hear {}?")
            )
            verdict = "Yes" if asked == names[0] else "No"
            return Instruction(
                "yesno", question.format(article(asked)), f"{verdict}, this is {article(names[0])}."
            )
        about: Kind = random.choice(("speech", "music"))
        if (kind == about) != yes and kind != "sound":
            about = "music" if about == "speech" else "speech"
        question = random.choice(SPEAKING if about == "speech" else PLAYING)
        described = {"speech": "someone speaking", "sound": "a sound", "music": "music"}
        return Instruction(
            "yesno", question, f"{'Yes' if kind == about else 'No'}, this is {described[kind]}."
        )


def candidates(label: str | None, heard: Sequence[str]) -> list[str]:
    """The label, then up to two names that are no other words for it; the names alone without a label."""
    found = [label.lower()] if label else []
    for name in heard:
        if len(found) < 3 and not same_name(name, found):
            found.append(name)
    return found


def distinct(names: Sequence[str]) -> list[str]:
    """The names without those that are other words for one before."""
    found: list[str] = []
    for name in names:
        if not same_name(name, found):
            found.append(name)
    return found


def same_name(name: str, others: Sequence[str]) -> bool:
    """Whether a name shares a content word with one of the others, endings apart."""
    words = set(map(stem, label_words(name)))
    return any(words & set(map(stem, label_words(other))) for other in others)


def either(names: Sequence[str]) -> str:
    """`rain`; `rain, or perhaps wind`; `rain, or perhaps wind or a stream`."""
    return names[0] + (f", or perhaps {' or '.join(names[1:])}" if len(names) > 1 else "")
