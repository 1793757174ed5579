"""How many cores a thread's arithmetic takes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from usam.threads import on_cores, use_cores


@pytest.fixture
def four_cores() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def cores_of_a_new_thread() -> int:
    with ThreadPoolExecutor(1) as fresh:
        return fresh.submit(torch.get_num_threads).result()


@pytest.mark.usefixtures("four_cores")
def test_a_thread_that_changes_its_cores_twice_leaves_new_threads_theirs() -> None:
    def change() -> tuple[int, int]:
        use_cores(2)
        first = torch.get_num_threads()
        use_cores(1)
        return first, torch.get_num_threads()

    with ThreadPoolExecutor(1) as other:
        assert other.submit(change).result() == (2, 1)
    assert (torch.get_num_threads(), cores_of_a_new_thread()) == (4, 4)


@pytest.mark.usefixtures("four_cores")
def test_cores_are_as_before_after_a_failure() -> None:
    @on_cores(1)
    def fail() -> None:
        raise ValueError(f"{torch.get_num_threads()} of {cores_of_a_new_thread()}")

    with pytest.raises(ValueError, match="1 of 4"):
        fail()
    assert torch.get_num_threads() == 4
