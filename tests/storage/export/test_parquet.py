"""Parquet exports: what pandas and `datasets` read is what people said, with one type a column throughout."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow.parquet import ParquetFile

from storage import Feedback
from storage.export import export

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def exported(feedback: Feedback, make_record: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three ratings, oldest first, each in a chunk of its own and each without what another one has."""
    monkeypatch.setattr("storage.export.tables.rows.CHUNK", 1)
    first, second, third = (
        feedback.record_answer(make_record(text, clip=text), annotator="me") for text in ("=1+1", "two", "")
    )
    feedback.rate(first, "secret-browser-id", thumb=1, flags=["unsafe", "bad_audio"])
    feedback.rate(second, "you", score=4, correction="=2 \u2028 NaN", dimensions={"correctness": 2})
    feedback.rate(third, "you", comment="empty")
    left, right = (
        feedback.record_answer(make_record(text), annotator="me", parent=first) for text in ("left", "right")
    )
    feedback.compare(left, right, "me", "a")
    out = tmp_path / "out"
    export(feedback.database, "parquet", out)
    return out


def test_pandas_reads_what_people_rated(exported: Path) -> None:
    ratings, votes = (pd.read_parquet(exported / f"{name}.parquet") for name in ("ratings", "comparisons"))
    assert ratings["answer"].tolist() == ["=1+1", "two", ""], "nothing is escaped where nothing can run"
    assert ratings["correction"].fillna("none").tolist() == ["none", "=2 \u2028 NaN", "none"]
    assert ratings["thumb"].fillna(9).tolist() == [1, 9, 9]
    assert ratings["dimension_correctness"].fillna(9).tolist() == [9, 2, 9]
    assert ratings["flags"].tolist() == ["unsafe;bad_audio", "", ""]
    assert ratings["parent_id"].isna().all()
    assert abs(ratings["rated_at"].iloc[0] - datetime.now(UTC)).total_seconds() < 60
    assert set(ratings["split"]) <= {"train", "test"}
    assert {votes["answer_a"].item(), votes["answer_b"].item()} == {"left", "right"}
    assert "secret-browser-id" not in ratings.astype(str).to_numpy()


def test_every_chunk_is_a_row_group_of_the_same_types(exported: Path) -> None:
    with ParquetFile(exported / "ratings.parquet") as file:
        assert file.num_row_groups == 3
        types = {field.name: str(field.type) for field in file.schema_arrow}
    assert types["correction"] == types["parent_id"] == types["answer"], "also where the first has none"
    assert types["score"] == types["dimension_correctness"] == "int64"
    assert types["rated_at"].endswith("tz=UTC]")
    assert types["stopped"] == "bool"


def test_a_table_without_rows_has_the_types_of_one_with(
    exported: Path, feedback: Feedback, tmp_path: Path
) -> None:
    feedback.forget(annotator="me")
    export(feedback.database, "parquet", tmp_path / "empty")
    for name in ("ratings", "comparisons"):
        full, empty = (
            dict(pd.read_parquet(folder / f"{name}.parquet").dtypes)
            for folder in (exported, tmp_path / "empty")
        )
        full.pop("dimension_correctness", None)  # nobody has scored it any more
        assert empty == full


def test_the_datasets_library_reads_it(exported: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(
        "parquet", data_files=str(exported / "ratings.parquet"), cache_dir=str(tmp_path / "cache")
    )["train"]
    assert loaded["score"] == [None, 4, None]
    assert loaded["comment"] == [None, None, "empty"]
