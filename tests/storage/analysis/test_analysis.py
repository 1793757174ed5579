"""Agreement, preferences and groups: known cases come out as known, and intervals cover what they must."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from storage import Feedback
from storage.analysis.agreement import agreement, alpha
from storage.analysis.intervals import bootstrap, wilson
from storage.analysis.preference import biases, bradley_terry, strengths, votes
from storage.analysis.ratings import by_day, by_group, by_level, ratings
from storage.database.schema import Rating

Make = Callable[..., dict[str, Any]]
NAN = float("nan")

# Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section C: four observers, twelve units.
OBSERVED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_of_the_published_example(level: Any, published: float) -> None:
    assert alpha(OBSERVED, level) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("values", [[[1.0, NAN], [NAN, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[], []]])
def test_alpha_is_undefined_without_pairs_or_without_any_difference(values: list[list[float]]) -> None:
    assert math.isnan(alpha(np.array(values), "nominal"))


def test_agreement_by_dimension_counts_only_what_two_judged(feedback: Feedback, make_record: Make) -> None:
    for n in range(12):
        answer = feedback.record_answer(make_record(clip=str(n)), annotator="asker")
        thumb = 1 if n % 2 else -1
        feedback.rate(answer, "me", thumb=thumb, dimensions={"correctness": n % 5 + 1})
        feedback.rate(answer, "you", thumb=thumb, dimensions={"correctness": (n * 3) % 5 + 1})
    alone = feedback.record_answer(make_record(clip="alone"), annotator="asker")
    feedback.rate(alone, "me", thumb=1, score=3)
    withdrawn = feedback.record_answer(make_record(clip="withdrawn"), annotator="asker")
    feedback.rate(withdrawn, "me", thumb=1)
    feedback.rate(withdrawn, "you", thumb=-1)
    feedback.withdraw(withdrawn, "you")
    with feedback.database.read() as session:
        found = agreement(session).set_index("judged")
    assert list(found.index) == ["thumb", "correctness"]
    assert found.loc["thumb", ["answers", "people"]].tolist() == [12, 2]
    assert found.loc["thumb", "alpha"] == pytest.approx(1.0)
    assert (
        found.loc["correctness", "low"]
        <= found.loc["correctness", "alpha"]
        <= found.loc["correctness", "high"]
    )
    assert found.loc["correctness", "high"] < 1


def test_nothing_judged_agrees_on_nothing(feedback: Feedback) -> None:
    with feedback.database.read() as session:
        assert agreement(session).empty
        assert strengths(votes(session)).empty
        assert [bias.count for bias in biases(votes(session))] == [0, 0]
        assert by_day(ratings(session)).empty
        assert by_group(ratings(session), "task").empty
        assert by_level(ratings(session), "router_entropy").empty


def test_strengths_are_found_again_from_the_votes_they_make() -> None:
    true = np.array([1.2, 0.2, -0.4, -1.0])
    odds = 1 / (1 + np.exp(true[None, :] - true[:, None]))
    wins = np.where(np.eye(4), 0, 1000 * odds)
    assert bradley_terry(wins) == pytest.approx(true, abs=0.01)


def test_whoever_wins_every_vote_has_a_finite_strength() -> None:
    strength = bradley_terry(np.array([[0.0, 50.0], [0.0, 0.0]]))
    assert np.isfinite(strength).all()
    assert strength[0] > 2 > -2 > strength[1]


@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_strengths_do_not_depend_on_the_order_of_contestants(count: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    wins = draw.integers(0, 20, (count, count)).astype(float)
    np.fill_diagonal(wins, 0)
    order = draw.permutation(count)
    assert bradley_terry(wins)[order] == pytest.approx(bradley_terry(wins[np.ix_(order, order)]), abs=1e-4)


def frame_of(*rows: tuple[str, str, str, bool, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["a", "b", "winner", "swapped", "length_a", "length_b"])


def test_the_better_contestant_leads_and_what_says_nothing_is_left_out() -> None:
    cast = frame_of(
        *[("good", "poor", "a", False, 5, 5)] * 30,
        *[("poor", "good", "a", False, 5, 5)] * 5,
        *[("good", "poor", "tie", False, 5, 5)] * 5,
        *[("good", "poor", "both_bad", False, 5, 5)] * 99,
        *[("good", "good", "a", False, 5, 5)] * 99,
    )
    table = strengths(cast)
    assert table["contestant"].tolist() == ["good", "poor"]
    assert table["votes"].tolist() == [40, 40]
    assert table["low"][0] > table["high"][1], "forty such votes tell them apart"
    assert (table["low"] <= table["strength"]).all()
    assert (table["strength"] <= table["high"]).all()


def test_side_and_length_bias_whichever_answer_stood_left() -> None:
    cast = frame_of(
        *[("x", "y", "a", False, 9, 5)] * 3,  # left, longer
        *[("x", "y", "b", True, 9, 5)] * 4,  # left, shorter
        *[("x", "y", "b", False, 5, 5)] * 1,  # right, as long
        *[("x", "y", "tie", False, 9, 5)] * 9,
    )
    side, length = biases(cast)
    assert (side.count, side.share) == (8, 7 / 8)
    assert (length.count, length.share) == (7, 3 / 7)
    assert side.low < side.share < side.high


def test_votes_name_contestants_by_what_made_them(feedback: Feedback, make_record: Make) -> None:
    warm = feedback.record_answer(make_record("warm", temperature=0.7), annotator="me")
    cold = feedback.record_answer(make_record("a cold one", temperature=0.0), annotator="me")
    feedback.compare(warm, cold, "me", "a", swapped=True)
    with feedback.database.read() as session:
        cast = votes(session)
        table = strengths(cast)
    assert table["contestant"].tolist() == ["f00d · nf4 · temperature 0.7", "f00d · nf4 · greedy"]
    side, length = biases(cast)
    assert (side.share, length.share) == (0.0, 0.0)


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_interval_of_a_share_holds_it(good: int, bad: int) -> None:
    low, high = wilson(good, good + bad)
    assert 0 <= low <= (good / (good + bad) if good + bad else 0.5) <= high <= 1


def test_wilson_as_published() -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I: 81 of 263."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_the_bootstrap_covers_a_mean_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(7)
    covered = 0
    for seed in range(200):
        sample = draw.normal(1.0, 1.0, 60)
        low, high = bootstrap(lambda drawn, sample=sample: sample[drawn].mean(), 60, seed=seed)
        covered += bool(low <= 1.0 <= high)
    assert 0.88 <= covered / 200 <= 0.99


def test_ratings_stand_beside_what_made_the_answer(feedback: Feedback, make_record: Make) -> None:
    for n in range(30):
        record = make_record(clip=str(n), task="aac" if n % 3 else "qa")
        weights = [0.9, 0.05, 0.05] if n < 15 else [0.3, 0.4, 0.3]
        record["tokens"] = [{**token, "routing": weights} for token in record["tokens"]]
        answer = feedback.record_answer(record, annotator="me")
        feedback.rate(answer, "me", thumb=1 if n < 15 else -1, score=5 if n < 15 else 2)
    with feedback.database.read() as session:
        frame = ratings(session)
    assert len(frame) == 30
    by_expert = by_group(frame, "dominant_expert").set_index("group")
    assert by_expert["count"].to_dict() == {"sound": 15, "speech": 15}
    assert by_expert["good"].to_dict() == {"sound": 0.0, "speech": 1.0}
    assert by_expert.loc["sound", "good_high"] < by_expert.loc["speech", "good_low"]
    assert by_expert["score"].to_dict() == {"sound": 2.0, "speech": 5.0}
    assert by_group(frame, "task")["count"].sum() == 30
    levels = by_level(frame, "router_entropy")
    assert levels["count"].sum() == 30
    assert levels["good"].tolist() == sorted(levels["good"], reverse=True), "the undecided were rated worse"
    assert by_level(frame, "redundant_share")["count"].tolist() == [30], "one value, one group"
    alike = frame.assign(router_entropy=[0.501 + n / 1e5 for n in range(30)])
    assert by_level(alike, "router_entropy")["count"].sum() == 30, "ranges that look the same are no error"


def test_days_without_ratings_are_shown(feedback: Feedback, make_record: Make) -> None:
    for n in range(3):
        feedback.rate(
            feedback.record_answer(make_record(clip=str(n)), annotator="me"),
            "me",
            thumb=(1, -1, None)[n],
            score=3,
        )
    with feedback.database.write() as session:
        then = datetime(2026, 1, 5, 23, 59, tzinfo=UTC)
        session.execute(update(Rating).values(updated_at=then))
        session.execute(update(Rating).where(Rating.thumb == -1).values(updated_at=then - timedelta(days=3)))
    with feedback.database.read() as session:
        days = by_day(ratings(session))
    assert days.to_numpy().tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 1]]
