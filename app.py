"""Starts the web app; also the entry point on Hugging Face Spaces. Settings come from the environment."""

import os
import sys

# Before torch is imported: the default policy spins, and starves the web server beside the model.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from storage import StorageError
from ui.build import build
from ui.server.request_log import configure_logging
from ui.settings import Settings


def main() -> None:
    try:
        settings = Settings.from_environment()
        if settings.json_log:
            configure_logging(settings.replica)
        app = build(settings)
    except (StorageError, ValueError) as error:
        sys.exit(str(error))
    app.launch()


if __name__ == "__main__":
    main()
