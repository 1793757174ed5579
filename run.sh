#!/usr/bin/env bash
# Runs the app at http://127.0.0.1:7860, after setting up what it needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/setup.sh

make_venv
install requirements.txt
exec .venv/bin/python -u app.py
