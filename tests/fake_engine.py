"""A small deterministic engine behind the real one's interface, to test the page's behaviour in seconds.

Only tests reach it: `app.py` has no way to load it.
"""

import math
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from usam.audio.clip import Clip, load_clip
from usam.checkpoints.fingerprint import fingerprint
from usam.checkpoints.layout import bundled
from usam.errors import RequestError
from usam.schema.answer import Answer, ModelInfo, Timings, Turn
from usam.schema.events import Encoded, Event, TextDelta
from usam.schema.recording_answer import RecordingAnswer, RecordingEvent, SpanAnswer, SpanEncoded, SpanUsed
from usam.schema.segments import RecordingPart, Segment
from usam.schema.tasks import SpeechTask, check_question
from usam.schema.trace import AudioToken, ClipSpan, TokenWord, Trace
from usam.schema.words import Word

TOKEN_SECONDS = 0.16
MODEL = ModelInfo("mini", fingerprint(bundled("mini")), "none", "cpu", 135_000_000, 300.0, "a test")


class FakeEngine:
    """Answers with the question, word by word. A question with `fail` or `crash` raises, one with `endless`
    is answered until it is stopped; one with `prune` leaves redundant tokens unread. `asked` lists the
    requests, `writing` counts the answers under way."""

    def __init__(self, pause: float = 0.02) -> None:
        self.pause = pause
        self.model_info = MODEL
        self.asked: list[dict[str, Any]] = []
        self.writing = 0
        self.heard_parts: list[float] = []
        self.may_hear = threading.Event()
        self.may_hear.set()
        self.held_from = 0.0
        self.stop_hearing = threading.Event()

    def health(self) -> dict[str, Any]:
        """A router of which one expert is dead, so that the page has something to warn of."""
        return {
            "experts": ["expert 1", "expert 2", "expert 3"],
            "distinct": True,
            "load": [0.5, 0.5, 0.0],
            "entropy_bits": 0.75,
            "dead": ["expert 3"],
            "collapsed": False,
        }

    def stream(
        self,
        audio: Clip,
        question: str | None = None,
        *,
        task: str = "qa",
        history: Sequence[Turn] = (),
        seed: int = 0,
        temperature: float = 0.0,
        stop: threading.Event | None = None,
        **_: Any,
    ) -> Iterator[Event]:
        stop = stop or threading.Event()
        question = check_question(question, task)
        self.asked.append(
            {"question": question, "task": task, "history": tuple(history), "seed": seed, "clip": audio}
        )
        if "fail" in question:
            raise RequestError("The question cannot be answered; ask another one.")
        if "crash" in question:
            raise RuntimeError("secret detail")
        heard = ClipSpan(audio.start, audio.end, audio.duration, audio.sha256)
        pruned = "prune" in question
        yield Encoded(trace_of(audio, "question", seed, pruned=pruned), heard)
        text = ""
        self.writing += 1
        try:
            for word in self.words(question, seed, history):
                if stop.is_set():
                    break
                time.sleep(self.pause)
                text += word
                yield TextDelta(word)
        finally:
            self.writing -= 1
        yield Answer(
            text=text,
            task=task,
            question=question,
            heard=heard,
            trace=trace_of(audio, "question+answer", seed, pruned=pruned),
            timings=Timings(1.0, 0.01, 0.25, 0.6, 31.0, len(text.split())),
            model=MODEL,
            prompt=f"<audio> {question}",
            seed=seed,
            temperature=temperature,
            max_new_tokens=128,
            stopped=stop.is_set(),
            history=tuple(history),
        )

    def transcribe(
        self,
        recording: str | Path | bytes,
        task: SpeechTask = "transcribe",
        stop: threading.Event | None = None,
        after: RecordingPart | None = None,
    ) -> Iterator[RecordingPart]:
        """Parts of 20 s: sentences of four words, then a piano, then nothing. `heard_parts` lists where they
        began; from `held_from` s on, none is heard while `may_hear` is not set. `stop_hearing` is the latest
        recording's stop."""
        stop = self.stop_hearing = stop or threading.Event()
        duration = load_clip(recording, max_seconds=1.0).duration
        start = 0.0 if after is None else after.end
        while start < duration and not stop.is_set():
            if start >= self.held_from:
                self.may_hear.wait()
            self.heard_parts.append(start)
            end = min(start + 20.0, duration)
            yield RecordingPart(start, end, duration, segments_of(start, end, task))
            start = end

    def ask_recording(
        self, recording: str, question: str | None = None, *, stop: threading.Event | None = None, **_: Any
    ) -> Iterator[RecordingEvent]:
        """Answers with the question, and leans on the first 20 s. One with `endless` goes on until it is
        stopped; one with `by span` has told of the first span before it is, and of nothing else."""
        stop = stop or threading.Event()
        asked = check_question(question, "qa")
        yield SpanEncoded(20.0, 60.0)
        if "by span" in asked:
            yield SpanAnswer(0.0, 20.0, "A lark sings.")
            stop.wait()
            return
        text = ""
        for word in self.words(asked, 0, ()):
            if stop.is_set():
                return
            time.sleep(self.pause)
            text += word
            yield TextDelta(word)
        leans = (SpanUsed(0.0, 20.0, 1.0),)
        yield RecordingAnswer(
            text, asked, "qa", "whole", leans, (), 60.0, 10, 100, 0.1, 0.1, MODEL, 0, 0.0, "end"
        )

    def words(self, question: str, seed: int, history: Sequence[Turn]) -> Iterator[str]:
        yield from f"You asked: {question} This is seed {seed} after {len(history)} turns.".replace(
            " ", " |"
        ).split("|")
        while "endless" in question:
            yield "on and "


def segments_of(start: float, end: float, task: SpeechTask) -> tuple[Segment, ...]:
    """The segments of a part of a recording: 12 s of speech, 5 s of music, and the rest silent."""
    said = "word" if task == "transcribe" else "english"
    edges = [min(start + seconds, end) for seconds in (0.0, 12.0, 17.0, 20.0)]
    words = tuple(
        Word(at, at + 0.4, f"{said}{round(at * 2)}{'.' if n % 4 == 3 else ''}", 0.9, " ")
        for n, at in ((n, start + n / 2) for n in range(24))
        if at + 0.4 <= edges[1]
    )
    found = (
        Segment(edges[0], edges[1], "speech", words, language="English"),
        Segment(edges[1], edges[2], "music", names=("piano",)),
        Segment(edges[2], edges[3], "silence"),
    )
    return tuple(segment for segment in found if segment.end > segment.start)


def spoken(token: int) -> tuple[TokenWord, ...]:
    """What the experts say at a token: a word of speech at every second one, two names at every tenth."""
    words = [TokenWord("expert 1", f"word{token}", (token % 10) / 10)] if token % 2 == 0 else []
    if token % 10 == 0:
        words += [TokenWord("expert 2", "Dog", 0.9), TokenWord("expert 2", "<b>Animal</b>", 0.4)]
    return tuple(words)


def trace_of(clip: Clip, supervised_by: Any, seed: int = 0, *, pruned: bool = False) -> Trace:
    """Tokens that cover the heard span; routing and significance follow slow waves, so every case occurs.
    Another seed shifts the waves."""
    tokens = []
    for i in range(math.ceil((clip.end - clip.start) / TOKEN_SECONDS)):
        weights = [1.2 + math.sin(0.35 * i + phase + seed) for phase in (0.0, 2.1, 4.2)]
        significance = 0.5 + 0.4 * math.sin(0.5 * i + seed)
        tokens.append(
            AudioToken(
                start=clip.start + i * TOKEN_SECONDS,
                end=min(clip.start + (i + 1) * TOKEN_SECONDS, clip.end),
                window=i // 2,
                routing=tuple(weight / sum(weights) for weight in weights),
                significance=significance,
                predictive=0.5,
                text_relevance=0.4,
                audio_saliency=0.6,
                redundant=significance <= 0.5,
                word=" dog" if i % 5 == 0 else "",
                words=spoken(i),
                dropped=pruned and significance <= 0.5,
            )
        )
    return Trace(("expert 1", "expert 2", "expert 3"), tuple(tokens), supervised_by, pruned=pruned)
