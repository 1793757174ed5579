"""How many cores a thread's arithmetic takes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


def use_cores(count: int) -> None:
    """Keep this thread's arithmetic on so many cores, and leave other threads theirs.

    PyTorch's setting also is the default of threads that start later; one of those puts the default back.
    """
    if torch.get_num_threads() == count:
        return
    with ThreadPoolExecutor(1) as fresh:
        default = fresh.submit(torch.get_num_threads).result()
        torch.set_num_threads(count)
        fresh.submit(torch.set_num_threads, default).result()


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """This thread's arithmetic on so many cores, inside."""
    before = torch.get_num_threads()
    use_cores(count)
    try:
        yield
    finally:
        use_cores(before)
