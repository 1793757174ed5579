"""The model's JSON object of an answer goes into the database's columns and comes out as it was."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.answers.records import answer_columns, answer_record
from storage.answers.trace_statistics import trace_statistics
from storage.database import schema
from usam.schema.answer import Answer, ModelInfo, Timings, Turn
from usam.schema.interventions import DropRandom, DropRedundant, DropSpan, ForceExpert, Intervention, ReadAll
from usam.schema.trace import AudioToken, ClipSpan, TokenWord, Trace

ADDED = {"answer_id", "parent_id", "created_at"}
"""What the database says of an answer beside its record."""

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
counts = st.integers(0, 2**31)
numbers = st.floats(0, 1e6)
shares = st.floats(0, 1)
EXPERTS = ("speech", "sound", "music")


def of(kind: type, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects of a dataclass, every field drawn: one that is left out here would keep its default."""
    assert given.keys() == {part.name for part in fields(kind)}, kind
    return st.builds(kind, **given)


token_words = of(TokenWord, expert=st.sampled_from(EXPERTS), text=texts, confidence=shares)
audio_tokens = of(
    AudioToken,
    start=numbers,
    end=numbers,
    window=counts,
    routing=st.tuples(shares, shares, shares),
    significance=shares,
    predictive=shares,
    text_relevance=shares,
    audio_saliency=shares,
    redundant=st.booleans(),
    word=texts,
    dropped=st.booleans(),
    words=st.lists(
        of(TokenWord, expert=st.sampled_from(EXPERTS), text=texts, confidence=shares), max_size=2
    ).map(tuple),
)
traces = of(
    Trace,
    experts=st.just(EXPERTS),
    tokens=st.lists(audio_tokens, min_size=1, max_size=3).map(tuple),
    supervised_by=st.sampled_from(["question", "question+answer"]),
    threshold=shares,
    pruned=st.booleans(),
)
answers = of(
    Answer,
    text=texts,
    task=texts,
    question=texts,
    heard=of(
        ClipSpan,
        start=numbers,
        end=numbers,
        duration=numbers,
        sha256=st.text("0123456789abcdef").map(str),
        gain_db=numbers,
        tracks=st.integers(1, 9),
    ).map(lambda span: replace(span, sha256=span.sha256[:64].rjust(64, "0"))),
    trace=traces,
    timings=of(
        Timings,
        **{part.name: counts if part.name == "answer_tokens" else numbers for part in fields(Timings)},
    ),
    model=of(
        ModelInfo,
        preset=texts,
        fingerprint=texts,
        quantization=texts,
        device=texts,
        parameters=counts,
        memory_mb=numbers,
        reason=texts,
        llm=st.none() | texts,
    ),
    prompt=texts,
    seed=counts,
    temperature=numbers,
    max_new_tokens=counts,
    stopped=st.booleans(),
    history=st.lists(of(Turn, question=texts, answer=texts), max_size=2).map(tuple),
    intervention=st.one_of(
        st.just(Intervention()),
        st.just(DropRedundant()),
        st.just(ReadAll()),
        st.builds(DropRandom, counts),
        st.builds(DropSpan, st.floats(0, 1), st.floats(2, 3)),
        st.builds(ForceExpert, st.integers(0, 2)),
    ),
    ids=st.lists(counts, max_size=3).map(tuple),
    finish=st.sampled_from(["end", "length", "stop", "repetition", ""]),
)


def stored_and_read(record: dict[str, Any]) -> dict[str, Any]:
    """The record by way of the columns; the JSON ones as text, as SQLite holds them."""
    columns = json.loads(json.dumps(answer_columns(json.loads(json.dumps(record)))))
    row = schema.Answer(**columns, id=uuid4(), created_at=datetime(2026, 1, 2, tzinfo=UTC))
    return answer_record(row)


@settings(deadline=None, max_examples=50)
@given(answers)
def test_an_answer_comes_back_from_the_columns(answer: Answer) -> None:
    record = answer.to_json()
    stored = stored_and_read(record)
    assert {key: stored[key] for key in stored.keys() - ADDED} == json.loads(json.dumps(record))
    assert Answer.from_json(stored) == replace(answer, ids=())


@settings(deadline=None, max_examples=50)
@given(answers)
def test_the_columns_hold_what_the_answer_holds(answer: Answer) -> None:
    """A key that only one side renames would stay in `trace`, its column at a default."""
    columns = answer_columns(answer.to_json())
    own = {column.key for column in schema.Answer.__table__.columns}
    own -= {"id", "annotator_id", "parent_id", "audio_kept", "created_at", "token_ids"}
    assert columns.keys() == own
    assert columns["trace"].keys() == {
        "experts",
        "tokens",
        "supervised_by",
        "threshold",
        "pruned",
        "intervention",
        "finish",
        "heard",
    }
    assert columns["trace"]["heard"] == {"gain_db": answer.heard.gain_db, "tracks": answer.heard.tracks}
    for name in ("text", "seed", "temperature", "max_new_tokens", "stopped", "task", "question", "prompt"):
        assert columns[name] == getattr(answer, name)
    assert columns["history"] == [vars(turn) for turn in answer.history]


@settings(deadline=None, max_examples=20)
@given(traces)
def test_a_trace_s_statistics_are_found_by_its_keys(trace: Trace) -> None:
    record = {"experts": list(trace.experts), "tokens": [vars(token) for token in trace.tokens]}
    assert None not in trace_statistics(record).values()
