"""Whether the viewer meets its limits in a real browser: payload size, speed, frame times.

    python -m benchmarks.viewer [--rounds 7] [--json]

A clip of 30 s is drawn in a fresh page: the first figure is the time until its first frame is on the screen.
Then a mouse moves over it, frame by frame, and on a phone a finger moves the view: the second is the CPU time
of all the page's threads for a frame, in the slowest stretch of a run, which a busy machine hardly changes.
The sound is noise, of which nothing can be left out: no payload of 30 s is larger. Needs Playwright and a
Chromium, and says so where they are not. The exit status is 1 where a median misses its bar.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ui.inspector.payload import viewer_json
from ui.report.offline_page import offline_page
from ui.studio.clips import ClipCache
from ui.studio.session import SessionAnswer
from usam.audio.clip import Clip
from usam.audio.samples import SAMPLE_RATE
from usam.schema.answer import Answer, ModelInfo, Timings
from usam.schema.trace import AudioToken, ClipSpan, Trace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SECONDS = 30.0
TOKEN_SECONDS = 0.08
MOVES = 240
STRETCH = 30  # frames
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 3,
        "has_touch": True,
        "is_mobile": True,
    },
}

# Draws the trace and waits until the frame after its first has begun: by then that one is on the screen.
_DRAW = """async () => {
  const text = document.getElementById("trace").textContent;
  const began = performance.now();
  viewer.show(JSON.parse(text).trace);
  await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
  return performance.now() - began;
}"""
_FRAME = "() => new Promise((next) => requestAnimationFrame(next))"


@dataclass(frozen=True)
class Figure:
    """One value a round, and the bar that their median has to stay below."""

    name: str
    values: tuple[float, ...]
    bar: float
    unit: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def worst(self) -> float:
        return max(self.values)

    @property
    def met(self) -> bool:
        return self.median < self.bar

    def to_json(self) -> dict[str, Any]:
        figures = {"median": self.median, "worst": self.worst, "met": self.met}
        return {"name": self.name, "unit": self.unit, "bar": self.bar, **figures}


def entry() -> SessionAnswer:
    """An answer about 30 s of noise, a token every 80 ms."""
    generator = torch.Generator().manual_seed(0)
    waveform = 2 * torch.rand(round(SECONDS * SAMPLE_RATE), generator=generator) - 1
    clip = Clip(waveform, 0.0, SECONDS, SECONDS, hashlib.sha256(waveform.numpy().tobytes()).hexdigest())
    answer = Answer(
        text="Noise, and nothing else.",
        task="qa",
        question="What is this?",
        heard=ClipSpan(0.0, SECONDS, SECONDS, clip.sha256),
        trace=Trace(("expert 1", "expert 2", "expert 3"), tuple(tokens()), "question+answer"),
        timings=Timings(1.0, 0.1, 0.2, 0.3, 100.0, 6),
        model=ModelInfo("mini", "0" * 16, "nf4", "cpu", 1, 1.0),
        prompt="",
        seed=0,
    )
    audio = ClipCache(lambda file, start, end: clip).load(__file__)
    return SessionAnswer("benchmark", answer, audio, "noise.wav")


def tokens() -> Iterator[AudioToken]:
    for index in range(round(SECONDS / TOKEN_SECONDS)):
        weights = [1.1 + math.sin(0.37 * index + phase) for phase in (0.0, 2.1, 4.2)]
        significance = 0.5 + 0.45 * math.sin(1.3 * index)
        yield AudioToken(
            start=index * TOKEN_SECONDS,
            end=(index + 1) * TOKEN_SECONDS,
            window=index // 4,
            routing=tuple(weight / sum(weights) for weight in weights),
            significance=significance,
            predictive=significance,
            text_relevance=abs(math.sin(index)),
            audio_saliency=abs(math.cos(index)),
            redundant=significance <= 0.5,
            word=" noise",
        )


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """The system's Chromium where there is one, else Playwright's own, else None."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        yield None
        return
    with sync_playwright() as playwright:
        try:
            path = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error:
            yield None
            return
        yield browser
        browser.close()


def measure(browser: Browser, rounds: int) -> list[Figure]:
    noise = entry()
    found = [Figure("payload, 30 s", (len(viewer_json(noise)) / 1000,), 1000, "kB")]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(offline_page(noise), encoding="utf-8")
        for screen, settings in SCREENS.items():
            name, gesture = ("moving the view", drag) if "has_touch" in settings else ("pointing", hover)
            drawn, moved = [], []
            for _ in range(rounds):
                context = browser.new_context(**settings)
                page = context.new_page()
                page.goto(file.as_uri())
                drawn.append(page.evaluate(_DRAW))
                page.wait_for_selector("section.viewer[data-audio=ready]")
                moved.append(gesture(page))
                context.close()
            found.append(Figure(f"{screen}, drawing", tuple(drawn), 300, "ms"))
            found.append(Figure(f"{screen}, a frame of {name}", tuple(moved), 16, "ms"))
    return found


def hover(page: Page) -> float:
    """Milliseconds a frame while the mouse runs across the picture."""
    left, top, width = place(page)

    def move(step: int) -> None:
        page.mouse.move(left + step / MOVES * width, top + 60 + 100 * (step % 2))

    return frames(page, move)


def drag(page: Page) -> float:
    """Milliseconds a frame while a finger moves the view, zoomed in, to and fro."""
    page.evaluate("() => { for (let i = 0; i < 2; i++) viewer.zoomBy('in'); }")
    left, top, width = place(page)
    hand = page.context.new_cdp_session(page)

    def touch(kind: str, x: float) -> None:
        points = [{"x": left + x, "y": top + 60}] if kind != "End" else []
        hand.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    touch("Start", width / 2)
    spent = frames(page, lambda step: touch("Move", width / 2 + 0.4 * width * math.sin(step / 12)))
    touch("End", 0)
    return spent


def place(page: Page) -> tuple[float, float, float]:
    """Left edge, top edge and width of the tokens' part of the picture, in pixels of the window."""
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    return box["x"] + 50, box["y"], box["width"] - 60


def frames(page: Page, move: Callable[[int], None]) -> float:
    """Milliseconds of processor time for a frame, each with a move, in the slowest stretch of frames.

    The system counts this time in steps of 10 ms: too coarse for a single frame.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    spent, before = [], busy(session)
    for step in range(MOVES):
        move(step)
        page.evaluate(_FRAME)
        if step % STRETCH == STRETCH - 1:
            after = busy(session)
            spent.append(1000 * (after - before) / STRETCH)
            before = after
    return max(spent)


def busy(session: Any) -> float:
    """Seconds of processor time that the page's process has taken."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "ProcessTime")


def table(figures: list[Figure]) -> str:
    lines = [f"{'':34}{'median':>10}{'worst':>10}{'bar':>10}"]
    for figure in figures:
        met = "" if figure.met else "   MISSED"
        numbers = f"{figure.median:10.1f}{figure.worst:10.1f}{figure.bar:10.0f}"
        lines.append(f"{figure.name:34}{numbers} {figure.unit}{met}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewer", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="fresh pages for each screen")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with chromium() as browser:
        if browser is None:
            print(
                "Skipped: this needs Playwright (requirements-dev.txt) and a Chromium "
                "(apt-get install chromium, or playwright install chromium).",
                file=sys.stderr,
            )
            return 0
        figures = measure(browser, options.rounds)
    if options.json:
        print(json.dumps({"figures": [figure.to_json() for figure in figures]}))
    else:
        print(table(figures))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
