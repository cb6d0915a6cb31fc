#!/usr/bin/env bash
# Compares Throng with Locust, in turns, on the Todo plan and the FastAPI app of tests/peers. Needs
# two cores, Python and PyPI. Ends with 1 when Throng's p50 is more than a millisecond above Locust's.
# ROUNDS=5 SECONDS_EACH=30 benches/locust.sh measures longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

debian time time
pypi uvicorn "$app_venv" -r tests/peers/requirements.txt
pypi locust "$bench_venv" locust==2.47.0
build_throng
exec python3 -B benches/with_locust.py target/release/throng "$bench_venv/bin/locust" "$app_venv"
