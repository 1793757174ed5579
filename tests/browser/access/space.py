"""The app as a Space runs it, with the small engine, in a process of its own: Gradio reads what a Space sets
in the environment when it is imported. Prints its address, and runs until its input ends."""

import sys

from tests.fake_engine import FakeEngine
from tests.serving import serve
from ui.settings import Settings

if __name__ == "__main__":
    with serve(Settings.from_environment(), lambda progress: FakeEngine()) as url:  # type: ignore[arg-type, return-value]
        print(url, flush=True)
        sys.stdin.read()
