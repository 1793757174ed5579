"""The shipped checkpoint on real clips: what it says is about the clip, and its trace is true."""

import itertools
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import jiwer
import pytest

from usam.audio.clip import load_clip
from usam.engine.engine import Engine
from usam.interpretability.attribution import attribute
from usam.interpretability.intervention import intervene
from usam.schema.answer import Answer, Turn
from usam.schema.interventions import DropSpan, Intervention

CLIPS = Path(__file__).parents[1] / "clips"
EXAMPLES = Path(__file__).parents[2] / "ui" / "examples"
SPOKEN = "there was no lack of air and light for the new jail and several exercising yards"
KIND_QUESTION = "Is this speech, sound or music?"
KINDS = {
    "speech_jail.ogg": "speech",
    "speech_chapter.ogg": "speech",
    "siren.ogg": "sound",
    "piano.ogg": "music",
    "guitar.ogg": "music",
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load()


@pytest.fixture(scope="module")
def transcript(engine: Engine) -> Answer:
    return engine.ask(CLIPS / "speech_jail.ogg", task="asr")


def test_it_writes_down_what_is_said(transcript: Answer) -> None:
    assert jiwer.wer(SPOKEN, transcript.text.lower().replace(".", "").replace(",", "")) < 0.15
    assert transcript.text[0].isupper()


def test_no_word_of_the_specialists_is_in_the_prompt(transcript: Answer) -> None:
    """They reach the language model through the audio tokens alone, each at its time."""
    words = [word.text for token in transcript.trace.tokens for word in token.words]
    assert {"English", "man", "jail"} <= set(words)
    assert not any(word in transcript.prompt for word in ("English", "jail", "exercising"))
    assert any(token.dropped for token in transcript.trace.tokens)  # what is redundant is not read


def test_it_tells_who_speaks_and_what_it_cannot_tell(engine: Engine) -> None:
    assert "woman" in engine.ask(CLIPS / "speech_chapter.ogg", "Is it a man or a woman?").text
    assert " man " in engine.ask(CLIPS / "speech_jail.ogg", "Who is speaking?").text
    assert "does not tell" in engine.ask(CLIPS / "speech_jail.ogg", "What is the capital of France?").text


def test_of_several_things_it_tells_the_first_and_the_speech(engine: Engine) -> None:
    clip = EXAMPLES / "mixed-speech-guitar-siren.ogg"
    assert engine.ask(clip, "What comes first?").text.startswith("A man says")
    spoken = engine.ask(clip, task="asr").text.lower()
    assert jiwer.wer(SPOKEN, spoken.replace(".", "")) < 0.15


def test_it_tells_speech_sound_and_music_apart(engine: Engine) -> None:
    said = {name: engine.ask(CLIPS / name, KIND_QUESTION).text.lower() for name in KINDS}
    right = [name for name, kind in KINDS.items() if kind in said[name]]
    assert len(right) >= len(KINDS) - 1, said


def test_experts_share_the_work_by_kind_of_audio(engine: Engine) -> None:
    """Speech and music must not lean on the same expert: the router is there to tell them apart."""

    def favourite(name: str) -> int:
        tokens = engine.ask(CLIPS / name, "What do you hear?", max_new_tokens=1).trace.tokens
        load = [sum(weights) for weights in zip(*(token.routing for token in tokens), strict=True)]
        return load.index(max(load))

    assert favourite("speech_jail.ogg") != favourite("piano.ogg")
    assert not engine.health()["collapsed"]


def test_the_same_question_gets_the_same_answer_and_trace(engine: Engine, transcript: Answer) -> None:
    again = engine.ask(CLIPS / "speech_jail.ogg", task="asr")
    assert (again.text, again.trace) == (transcript.text, transcript.trace)


@pytest.mark.parametrize("name", ["piano", "guitar"])
def test_a_streamed_answer_is_the_one_transformers_generates(engine: Engine, name: str) -> None:
    clip = load_clip(CLIPS / f"{name}.ogg")
    answer = engine.ask(clip, task="aac")
    prompt = engine.model.prompts.build(answer.question)
    audio = engine.audio_tokens_of(clip, answer)
    generated = engine.model.respond(audio, [prompt], max_new_tokens=128, do_sample=False)
    assert answer.ids == tuple(generated[0].tolist())


def test_a_follow_up_is_asked_with_what_was_said_before(engine: Engine, transcript: Answer) -> None:
    earlier = [Turn(transcript.question, transcript.text)]
    answer = engine.ask(CLIPS / "speech_jail.ogg", "Is someone speaking?", history=earlier)
    assert transcript.text in answer.prompt
    assert answer.text


def test_a_transcript_needs_what_was_heard(engine: Engine, transcript: Answer) -> None:
    clip = load_clip(CLIPS / "speech_jail.ogg")
    assert intervene(engine, clip, transcript, Intervention()).logprob_change == pytest.approx(0, abs=0.01)
    emptied = intervene(engine, clip, transcript, DropSpan(clip.start, clip.end))
    assert emptied.answer.trace.without_audio
    assert emptied.logprob_change < -1


def test_words_lean_on_the_sound_in_the_order_they_are_spoken(engine: Engine, transcript: Answer) -> None:
    found = attribute(engine, load_clip(CLIPS / "speech_jail.ogg"), transcript, group=4)
    peaks = [scores.index(max(scores)) for scores in found.scores]
    in_order = sum(one <= other for one, other in itertools.pairwise(peaks))
    assert in_order >= 0.8 * (len(peaks) - 1)
    assert max(peaks) - min(peaks) > len(transcript.trace.tokens) / 2


def check_contract(record: dict[str, Any]) -> None:
    """The documented JSON object: routing rows sum to 1, tokens cover what was heard, nothing is NaN."""
    tokens, heard = record["tokens"], record["heard"]
    assert tokens[0]["start"] == pytest.approx(heard["start"])
    assert tokens[-1]["end"] == pytest.approx(heard["end"])
    for before, after in itertools.pairwise(tokens):
        assert before["end"] == pytest.approx(after["start"])
    for token in tokens:
        assert sum(token["routing"]) == pytest.approx(1, abs=1e-4)
        assert len(token["routing"]) == len(record["experts"])
        scores = [token[key] for key in ("significance", "predictive", "text_relevance", "audio_saliency")]
        assert all(math.isfinite(score) and 0 <= score <= 1 for score in scores)
        assert token["redundant"] == (token["significance"] <= record["threshold"])
    assert record["supervised_by"] == "question+answer"


def test_the_command_line_obeys_the_json_contract() -> None:
    command = [sys.executable, "-m", "usam", "ask", str(CLIPS / "siren.ogg"), "What sound is this?", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CLIPS.parents[1])
    record = json.loads(run.stdout)
    check_contract(record)
    assert record["answer"]
    assert record["model"]["quantization"] == "nf4"


def test_a_bad_clip_is_one_plain_line_and_status_2(tmp_path: Path) -> None:
    bad = tmp_path / "notes.wav"
    bad.write_text("not audio")
    command = [sys.executable, "-m", "usam", "ask", str(bad), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=CLIPS.parents[1])
    assert run.returncode == 2
    assert run.stdout == ""
    assert len(run.stderr.strip().splitlines()) == 1
    assert str(tmp_path) not in run.stderr
