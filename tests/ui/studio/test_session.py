"""What one open page remembers of its answers."""

import torch

from tests.fake_engine import MODEL, trace_of
from tests.ui.heard import heard_clip
from ui.studio.service import retry_of
from ui.studio.session import KEPT_ENTRIES, Session, SessionAnswer
from usam.audio.clip import Clip
from usam.audio.samples import SAMPLE_RATE
from usam.schema.answer import Answer, Timings, Turn
from usam.schema.trace import ClipSpan


def clip(seconds: float = 2.0, seed: int = 0) -> Clip:
    waveform = torch.rand(int(seconds * SAMPLE_RATE), generator=torch.Generator().manual_seed(seed)) - 0.5
    return Clip(waveform, 0.0, seconds, seconds, f"{seed:064x}")


def entry(
    key: str, heard: Clip, *, history: tuple[Turn, ...] = (), temperature: float = 0.0
) -> SessionAnswer:
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


def test_a_follow_up_carries_every_turn_and_an_edit_only_those_before() -> None:
    first = (Turn("q0", "a0"),)
    session = Session().add(entry("b", clip(), history=first))
    assert session.follow_up().context == (Turn("q0", "a0"), Turn("question b", "answer b"))
    assert session.edit().context == first
    assert session.edit().context_entry is session.current
    assert session.follow_up().fresh().context == ()


def test_a_session_forgets_its_oldest_answers() -> None:
    session = Session()
    for i in range(KEPT_ENTRIES + 3):
        session = session.add(entry(str(i), clip(seed=1)))
    assert [e.key for e in session.entries] == [str(i) for i in range(3, KEPT_ENTRIES + 3)]
    assert session.shown == str(KEPT_ENTRIES + 2)


def test_a_retry_samples_with_the_seed_it_is_given() -> None:
    greedy, sampled = entry("a", clip()), entry("b", clip(), temperature=0.3)
    assert (retry_of(greedy, 4, False).seed, retry_of(greedy, 4, False).temperature) == (4, 0.7)
    assert retry_of(sampled, 4, False).temperature == 0.3
    assert retry_of(greedy, 4, False).parent == "id-a"
