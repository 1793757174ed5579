"""Verdicts on single tokens: kept with SACLM's own score, and what they make of its flags."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage import Feedback
from storage.analysis.intervals import wilson
from storage.analysis.redundancy import flag_precision
from storage.annotation.token_verdicts import TokenVerdicts
from storage.errors import NotFoundError, RatingError
from storage.export import export

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def verdicts(feedback: Feedback) -> TokenVerdicts:
    return TokenVerdicts(feedback.database)


@pytest.fixture
def ask(feedback: Feedback, make_record: Make) -> Callable[..., str]:
    """Stores an answer whose even tokens are flagged."""

    def store(tokens: int = 8, fingerprint: str = "f00d", text: str = "a dog") -> str:
        record = make_record(text)
        model = {**record["model"], "fingerprint": fingerprint}
        one = record["tokens"][0]
        spread = [
            {**one, "start": 1 + i / 4, "end": 1.25 + i / 4, "significance": i / 10, "redundant": i % 2 == 0}
            for i in range(tokens)
        ]
        return feedback.record_answer({**record, "model": model, "tokens": spread}, annotator="asker")

    return store


def test_a_verdict_is_changed_and_taken_back(verdicts: TokenVerdicts, ask: Callable[..., str]) -> None:
    answer = ask()
    verdicts.judge(answer, "me", {0: "mattered", 2: "did_not"})
    verdicts.judge(answer, "you", {0: "unclear"})
    verdicts.judge(answer, "me", {0: "unclear", 4: "did_not"})
    assert verdicts.of(answer, "me") == {0: "unclear", 2: "did_not", 4: "did_not"}
    verdicts.judge(answer, "me", {2: None, 6: None})
    assert verdicts.of(answer, "me") == {0: "unclear", 4: "did_not"}
    assert verdicts.of(answer, "you") == {0: "unclear"}


@pytest.mark.parametrize("wrong", [{8: "mattered"}, {-1: "mattered"}, {True: "mattered"}, {0: "maybe"}])
def test_nothing_is_saved_of_what_holds_a_mistake(
    verdicts: TokenVerdicts, ask: Callable[..., str], wrong: dict[Any, Any]
) -> None:
    answer = ask()
    with pytest.raises(RatingError):
        verdicts.judge(answer, "me", {2: "did_not", **wrong})
    assert verdicts.of(answer, "me") == {}


def test_the_score_is_the_traces_own(
    verdicts: TokenVerdicts, ask: Callable[..., str], tmp_path: Path
) -> None:
    verdicts.judge(ask(), "me", {2: "did_not", 3: "mattered"})
    export(verdicts.database, "csv", tmp_path)
    table = pd.read_csv(tmp_path / "token_verdicts.csv")
    assert table["token"].tolist() == [2, 3]
    assert table["significance"].tolist() == [0.2, 0.3]
    assert table["flagged"].tolist() == [True, False]
    assert table["start_s"].tolist() == [1.5, 1.75]
    assert table["verdict"].tolist() == ["did_not", "mattered"]


def test_precision_is_of_flagged_tokens_with_a_clear_verdict_by_checkpoint(
    verdicts: TokenVerdicts, ask: Callable[..., str]
) -> None:
    verdicts.judge(ask(), "me", {0: "did_not", 2: "did_not", 4: "mattered", 6: "unclear", 1: "mattered"})
    verdicts.judge(ask(fingerprint="beef"), "me", {0: "mattered"})
    with verdicts.database.read() as session:
        found = flag_precision(session)
    assert found[["checkpoint", "flagged", "tokens", "unclear"]].values.tolist() == [
        ["beef", True, 1, 0],
        ["f00d", True, 3, 1],
        ["f00d", False, 1, 0],
    ]
    assert found["share"].tolist() == [0, pytest.approx(2 / 3), 0]
    assert found.loc[1, ["low", "high"]].tolist() == pytest.approx(wilson(2, 3))


def test_tokens_of_few_unlike_answers_do_not_pass_for_many(
    verdicts: TokenVerdicts, ask: Callable[..., str]
) -> None:
    """Two answers, one all right and one all wrong: hundreds of tokens still leave everything open."""
    flagged = range(0, 200, 2)
    verdicts.judge(ask(200), "me", dict.fromkeys(flagged, "did_not"))
    verdicts.judge(ask(200, text="a cat"), "me", dict.fromkeys(flagged, "mattered"))
    with verdicts.database.read() as session:
        (found,) = flag_precision(session).to_dict("records")
    assert (found["tokens"], found["answers"], found["share"]) == (200, 2, 0.5)
    assert (found["low"], found["high"]) == (0, 1)
    assert wilson(100, 200)[0] > 0.4


def test_nothing_judged_is_an_empty_table(verdicts: TokenVerdicts) -> None:
    with verdicts.database.read() as session:
        assert flag_precision(session).empty


def test_they_are_counted_and_deleted(
    verdicts: TokenVerdicts, feedback: Feedback, ask: Callable[..., str]
) -> None:
    answer = ask()
    verdicts.judge(answer, "me", {0: "did_not", 2: "did_not"})
    assert feedback.holdings("me").tokens == 2
    assert feedback.forget(annotator="me").tokens == 2
    assert verdicts.of(answer, "me") == {}
    verdicts.judge(answer, "you", {0: "did_not"})
    feedback.forget(annotator="asker")
    with pytest.raises(NotFoundError):
        verdicts.of(answer, "you")
