#!/usr/bin/env bash
# Passes the tests, after setting up what they need: formatting, lint and types
# of both languages, the layers, then pytest, which takes the arguments. Files of
# tests run beside each other; `-n 0` runs them one after another, as a debugger needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/setup.sh

make_venv
install requirements.txt requirements-dev.txt
provide_browser
.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/mypy &
types=$!
.venv/bin/lint-imports --no-cache
check_scripts
wait "$types"
.venv/bin/pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder "$@"
