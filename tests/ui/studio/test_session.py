"""What one open page remembers of its answers."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.ui.heard import clip, entry
from ui.studio.service import retry_of
from ui.studio.session import KEPT_ENTRIES, Session
from usam.schema.answer import Turn


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


def test_answers_are_listed_with_question_clip_and_time() -> None:
    asked_at = datetime.now(UTC)
    listed = replace(entry("a", clip()), clip_name="Dog", asked_at=asked_at).label
    assert listed == f"question a → answer a\nDog · {asked_at.astimezone():%H:%M}"
    old = replace(entry("a", clip()), asked_at=datetime(2020, 2, 3, tzinfo=UTC)).label
    assert "Feb" in old
    assert "\n" not in replace(entry("a", clip()), clip_name="").label
