#!/usr/bin/env bash
# Compares Throng with wrk, in turns, against the same small server. Needs two cores; installs wrk
# when it may (as root). ROUNDS=5 SECONDS_EACH=20 benches/wrk.sh measures longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

debian wrk wrk
build_throng
server=$(build_server)
exec python3 -B benches/wrk.py target/release/throng "$server"
