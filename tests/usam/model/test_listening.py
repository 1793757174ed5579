"""What the encoders' heads are asked, and who is said to speak."""

import torch

from tests import tiny
from usam.adapter.speaker import SPEAKERS, SpeakerHead
from usam.encoders.words import Heard
from usam.model.listening import hear, name_speakers, words_of
from usam.schema.words import Word


def head(speaker: str, at_least: float = 0.9) -> SpeakerHead:
    """One that hears this speaker everywhere."""
    built = SpeakerHead(tiny.config(words=True))
    torch.nn.init.zeros_(built.head.weight)
    with torch.no_grad():
        built.head.bias.copy_(torch.tensor([4.0 if name == speaker else 0.0 for name in SPEAKERS]))
    return built


def heard(seconds: float = 4.0) -> Heard:
    clip = tiny.clip(seconds).waveform
    frames = torch.randn(round(seconds * 50), tiny.DIMS[0])
    return Heard(clip, {"speech": frames}, speech=((0.0, 1.5), (2.0, seconds)))


def test_each_transcript_says_who_speaks_before_the_language() -> None:
    words = [
        Word(0.2, 0.2, "English", 0.9, " [", "]"),
        Word(0.2, 0.6, "hello", 0.9, " "),
        Word(2.5, 2.5, "German", 0.8, " [", "]"),
        Word(2.5, 2.9, "hallo", 0.7, " "),
    ]
    named = name_speakers(words, heard(), head("woman"))
    assert "".join(word.read for word in named) == " [woman, English] hello [woman, German] hallo"
    assert [word.start for word in named] == [0.2, 0.2, 0.2, 2.5, 2.5, 2.5]
    assert all(0.9 < word.confidence <= 1 for word in named if word.text == "woman")
    assert name_speakers(words, heard(), None) == words


def test_the_frames_of_the_speech_itself_tell_the_speaker() -> None:
    built = head("man")
    with torch.no_grad():
        built.head.bias.zero_()
        built.head.weight[0, 3], built.head.weight[1, 3] = 5.0, -5.0  # by the first channel of the frames
    given = heard()
    given.frames["speech"].fill_(-1.0)
    given.frames["speech"][100:].fill_(1.0)  # from 2 s on
    words = [Word(0.2, 0.2, "English", 0.9, " [", "]"), Word(2.5, 2.5, "English", 0.8, " [", "]")]
    named = name_speakers(words, given, built)
    assert [word.text for word in named] == ["woman", "English", "man", "English"]


def test_a_clip_without_speech_or_words_has_none() -> None:
    model = tiny.model()
    hearing = hear(tiny.clip(0.5).waveform, list(model.encoders), with_words=True)
    assert hearing.heard.sounds is None
    assert hearing.heard.speech == ()
    assert words_of(hearing, (None, None, None), "transcribe", None) == ((), (), ())
    assert torch.equal(hearing.frames, model.frames(tiny.clip(0.5).waveform))
