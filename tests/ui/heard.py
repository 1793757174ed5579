"""Clips of tests as answers hold them."""

import torch

from tests.fake_engine import MODEL, trace_of
from ui.studio.clips import ClipCache, HeardClip
from ui.studio.session import SessionAnswer
from usam.audio.clip import Clip
from usam.audio.samples import SAMPLE_RATE
from usam.schema.answer import Answer, Timings, Turn
from usam.schema.trace import ClipSpan


def heard_clip(clip: Clip) -> HeardClip:
    """The clip, whatever its file says."""
    return ClipCache(lambda file, start, end: clip).load(__file__)


def clip(seconds: float = 2.0, seed: int = 0) -> Clip:
    """Noise, with a hash of its own for each seed."""
    waveform = torch.rand(int(seconds * SAMPLE_RATE), generator=torch.Generator().manual_seed(seed)) - 0.5
    return Clip(waveform, 0.0, seconds, seconds, f"{seed:064x}")


def entry(
    key: str, heard: Clip, *, history: tuple[Turn, ...] = (), temperature: float = 0.0
) -> SessionAnswer:
    """What an open page remembers of an answer about a clip."""
    answer = Answer(
        text=f"answer {key}",
        task="qa",
        question=f"question {key}",
        heard=ClipSpan(heard.start, heard.end, heard.duration, heard.sha256),
        trace=trace_of(heard, "question+answer"),
        timings=Timings(1.0, 0.1, 0.2, 0.3, 30.0, 2),
        model=MODEL,
        prompt="prompt",
        seed=3,
        temperature=temperature,
        history=history,
    )
    return SessionAnswer(key, answer, heard_clip(heard), "clip.wav", answer_id=f"id-{key}")
