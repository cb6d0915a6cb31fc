#!/usr/bin/env bash
# What is lost of runs that are killed, and whether those that a signal ends are whole: benches/kills.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release --bin throng
exec python3 benches/kills.py target/release/throng "${1:-100}"
