#!/usr/bin/env bash
# How often two real runs of the same are called different: benches/pairs.sh [PAIRS] [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release --bin throng
exec python3 benches/pairs.py target/release/throng "${1:-20}" "${2:-35}"
