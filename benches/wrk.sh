#!/usr/bin/env bash
# Compares Throng with wrk, in turns, against the same small server. Needs two cores; installs wrk
# when it may (as root). ROUNDS=5 SECONDS_EACH=20 benches/wrk.sh measures longer.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v wrk >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends wrk >/dev/null
fi
cargo build --quiet --release --bin throng
# Its file has a hash in its name; cargo says which it is.
server=$(cargo build --quiet --release --bench server --message-format json |
  sed -n 's/.*"name":"server".*"executable":"\([^"]*\)".*/\1/p')
exec python3 benches/wrk.py target/release/throng "$server"
