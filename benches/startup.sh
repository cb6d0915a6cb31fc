#!/usr/bin/env bash
# Measures how soon Throng sends its first request, and what 10,000 waiting users weigh; Locust
# beside it. Needs 10,200 file descriptors (ulimit -Hn), Python and PyPI. Ends with 1 when the first
# request of a sample plan takes 20 ms or more. STARTS=50 benches/startup.sh starts it more often.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

pypi locust "$bench_venv" locust==2.47.0
build_throng
server=$(build_server)
exec python3 -B benches/startup.py target/release/throng "$bench_venv/bin/locust" "$server"
