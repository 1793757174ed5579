#!/usr/bin/env bash
# Runs the tests that need a GPU, on random weights of some kilobytes: minutes on a bare CUDA machine, nothing to
# download but the Python packages. PYTHON names an interpreter that has them; without it .venv-cuda is made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "${PYTHON:-}" ]; then
    [ -d .venv-cuda ] || python3 -m venv .venv-cuda
    PYTHON=.venv-cuda/bin/python
    "$PYTHON" -m pip install --quiet --editable ".[train]" "pytest>=9.2,<10" "hypothesis>=6.170,<7"
fi
"$PYTHON" -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "There is no CUDA GPU here.")'
# These files alone: others need the web app.
exec timeout 300 "$PYTHON" -m pytest -q -m cuda --durations=5 tests/usam/test_on_devices.py tests/usam/model/test_transformers.py "$@"
