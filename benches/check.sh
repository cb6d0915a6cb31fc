#!/usr/bin/env bash
# Measures how long a plan of 10,000 lines takes to check, beside PyYAML that only reads it. Ends
# with 1 when it takes 100 ms or more.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

"$bench_venv/bin/python" -c 'import yaml' 2>/dev/null || {
  [ -x "$bench_venv/bin/pip" ] || python3 -m venv "$bench_venv"
  "$bench_venv/bin/pip" install --quiet --disable-pip-version-check pyyaml
}
build_throng
exec python3 -B benches/check.py target/release/throng "$bench_venv/bin/python"
