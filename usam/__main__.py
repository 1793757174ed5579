"""`python -m usam`."""

import sys

from usam.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
