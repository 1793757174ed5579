"""What one open page remembers of its answers."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

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
    one = replace(entry("a", clip()), clip_name="Dog", asked_at=asked_at)
    assert one.label() == f"question a → answer a\nDog · {asked_at.astimezone():%H:%M}"
    old = replace(entry("a", clip()), asked_at=datetime(2020, 2, 3, tzinfo=UTC))
    assert "Feb" in old.label()
    assert "\n" not in replace(entry("a", clip()), clip_name="").label()


def test_times_are_those_of_the_visitor_who_stays_in_their_zone() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    now = datetime.now(UTC)
    assert replace(entry("a", clip()), asked_at=now).label(tokyo).endswith(f"{now.astimezone(tokyo):%H:%M}")
    new_year = replace(entry("a", clip()), asked_at=datetime(2019, 12, 31, 20, tzinfo=UTC))
    assert new_year.label(tokyo).endswith("01 Jan 05:00")
    session = Session(zone=tokyo).add(new_year).edit().keep(entry("b", clip())).fresh().show("a").follow_up()
    assert session.zone == tokyo
