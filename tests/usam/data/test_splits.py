"""The rule that keeps some of the clips out of training."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from usam.data.corpus import Example
from usam.data.splits import split


def example(source: str, group: str, name: str, kind: str = "sound") -> Example:
    return Example(
        path=Path("corpus") / kind / source / name,
        seconds=1.0,
        kind=kind,  # type: ignore[arg-type]
        transcript=None,
        label="bell",
        group=group,
        source=source,
        licence="CC0",
        language="",
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["berklee", "petz", "dc_tts_reader", "picovoice_wakeword", "blanket"]),
            st.integers(0, 40),
        ),
        max_size=80,
    ),
    st.sets(st.integers(0, 79), max_size=5),
)
def test_split_is_a_partition_that_keeps_groups_whole(drawn: list[tuple[str, int]], named: set[int]) -> None:
    examples = [example(source, f"{source}:{n}", f"{i}.ogg") for i, (source, n) in enumerate(drawn)]
    listed = {one.name for i, one in enumerate(examples) if i in named}
    train, heldout = split(examples, also_heldout=listed)
    assert sorted(one.name for one in train + heldout) == sorted(one.name for one in examples)
    assert not {one.group for one in train} & {one.group for one in heldout}
    assert listed <= {one.name for one in heldout}
    assert all(one.source != "petz" for one in train)


def test_split_of_a_clip_does_not_depend_on_the_others() -> None:
    examples = [example("berklee", f"berklee:{n}", f"{n}.ogg") for n in range(200)]
    _, heldout = split(examples)
    _, alone = split(examples[::2])
    assert 4 <= len(heldout) <= 40  # 8 % of 200 groups
    assert {one.name for one in alone} == {one.name for one in heldout} & {one.name for one in examples[::2]}


def test_last_quarter_of_the_single_reader_is_held_out() -> None:
    examples = [example("dc_tts_reader", f"sentence {n}", f"{n}.ogg", "speech") for n in range(8)]
    train, heldout = split(examples)
    assert (train, heldout) == (examples[:6], examples[6:])


def test_synthetic_speech_is_never_held_out() -> None:
    examples = [
        replace(example("synthesis", f"synthesis:{n}", f"{n}.flac"), kind="speech") for n in range(50)
    ]
    assert split(examples) == (examples, [])
