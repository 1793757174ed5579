"""The rules of Whisper's times against transformers' own."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import GenerationConfig
from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor

from usam.encoders.whisper_timestamps import LATEST_FIRST, TimestampRules

END, WITHOUT_TIMES, FIRST, SIZE = 20, 23, 24, 24 + 101
CONFIG = GenerationConfig(
    eos_token_id=END,
    bos_token_id=END,
    no_timestamps_token_id=WITHOUT_TIMES,
    max_initial_timestamp_index=LATEST_FIRST,
)


@given(
    times=st.lists(st.integers(0, 100), min_size=1, max_size=6),
    words=st.lists(st.integers(0, 2), min_size=6, max_size=6),
    seed=st.integers(0, 1000),
    liked=st.sampled_from([0.0, 3.0]),
)
def test_what_may_follow_is_what_transformers_lets_follow(
    times: list[int], words: list[int], seed: int, liked: float
) -> None:
    tokens = [
        token
        for time, count in zip(sorted(times), words, strict=False)
        for token in [FIRST + time] + [5] * count
    ]
    for read in ([], tokens):
        logits = torch.randn(SIZE, generator=torch.Generator().manual_seed(seed))
        logits[FIRST:] += liked
        logits[END + 1 : FIRST] = -torch.inf  # control tokens are suppressed before
        theirs = WhisperTimeStampLogitsProcessor(CONFIG, begin_index=1)
        expected = theirs(torch.tensor([[END, *read]]), logits[None].clone())[0]
        TimestampRules(FIRST, END, seconds=2.0).apply(logits, read)
        assert torch.equal(logits, expected)


def test_nothing_is_said_after_the_end() -> None:
    logits = torch.zeros(SIZE)
    TimestampRules(FIRST, END, seconds=0.5).apply(logits, [FIRST, 5])
    assert logits[FIRST + 25] == 0 or logits[5] == 0
    assert logits[FIRST + 26 :].isneginf().all()


def test_sentences_stand_between_times() -> None:
    rules = TimestampRules(FIRST, END, seconds=2.0)
    tokens = [FIRST, 1, 2, FIRST + 9, FIRST + 9, 3, FIRST + 20, FIRST + 20]
    assert rules.sentences(tokens) == [[1, 2], [5]]
    assert rules.sentences([]) == rules.sentences([FIRST]) == []
