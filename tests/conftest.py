"""What all tests share: their tiers, and what lets workers of pytest-xdist run beside each other."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
TIERS = ("weights", "browser", "slow", "fast")  # the longest first: workers then end at about the same time
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")  # gw0, gw1, ...
PORTS = 200  # of each worker; two that look for a free port at once would else find the same one

if WORKER:  # read by torch, NumPy and Gradio when they are imported
    os.environ["OMP_NUM_THREADS"] = "1"  # a core each
    os.environ["GRADIO_SERVER_PORT"] = str(7860 + PORTS * int(WORKER.removeprefix("gw")))

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def own_uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Gradio keeps uploads by their hash and deletes them at its end, also those of another run of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield


def tier_of(item: pytest.Item) -> str:
    folder = item.path.relative_to(TESTS).parts[0]
    if folder in TIERS:
        return folder
    return "slow" if item.get_closest_marker("slow") else "fast"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tier = tier_of(item)
        if tier != "fast":
            item.add_marker(tier)
        item.user_properties.append(("tier", tier))
    if WORKER:
        items.sort(key=lambda item: TIERS.index(tier_of(item)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cuda"):
        import torch  # most tests need no torch

        if not torch.cuda.is_available():
            pytest.skip("needs a GPU")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long each tier took, with set-up and tear-down; the times of all workers are added."""
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                tier = dict(report.user_properties)["tier"]
                seconds[tier] += report.duration
                tests[tier] += report.when == "call"
    if seconds:
        terminalreporter.section("time of each tier")
        for tier, took in seconds.most_common():
            terminalreporter.write_line(f"{tier:<8} {tests[tier]:>5} tests {took:>7.0f} s")
