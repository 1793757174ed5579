"""Which language a question says that speech is in."""

import pytest

from usam.encoders.heads.asked_speech import speech_request
from usam.schema.tasks import TASKS, SpeechRequest


@pytest.mark.parametrize(
    ("task", "question", "language"),
    [
        ("asr", "Write down the Czech speech.", "cs"),
        ("asr", "it's dutch", "nl"),
        ("qa", "Transcribe what is said in Haitian Creole.", "ht"),
        ("qa", "Can you write down the Polish?", "pl"),
        ("qa", "What does she say in German?", "de"),
        ("asr", "Write down the English speech.", "en"),
        ("asr", "It is Mandarin. Write it down in Chinese.", "zh"),
        ("asr", "Is it Czech or Polish? Write it down.", None),
        ("qa", "Is this Dutch?", None),
        ("qa", "Is it spoken in Dutch?", None),
        ("qa", "Does the speaker mention a German or write a letter?", None),
        ("qa", "Which language is spoken, French?", None),
        ("qa", "Are French horns playing?", None),
        ("asr", "Write down the Klingon speech.", None),
    ],
)
def test_the_language_is_that_which_speech_is_to_be_written_down_in(
    task: str, question: str, language: str | None
) -> None:
    assert speech_request(task, question) == SpeechRequest("transcribe", language)


@pytest.mark.parametrize(
    ("task", "question", "language"),
    [
        ("s2tt", "Translate the Czech speech.", "cs"),
        ("qa", "Translate the Dutch into English.", "nl"),
        ("qa", "What does the German say in English?", "de"),
        ("s2tt", "Translate into French.", None),
        ("qa", "Translate this to English.", None),
    ],
)
def test_what_is_translated_into_is_not_the_language_of_the_speech(
    task: str, question: str, language: str | None
) -> None:
    assert speech_request(task, question) == SpeechRequest("translate", language)


@pytest.mark.parametrize("task", TASKS)
def test_the_tasks_themselves_name_none(task: str) -> None:
    assert speech_request(task, TASKS[task].prompt).language is None
