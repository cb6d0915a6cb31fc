#!/usr/bin/env bash
# Counts the instructions of a request and holds them against those that are kept in this folder.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

debian valgrind valgrind
build_throng
exec python3 -B benches/instructions.py target/release/throng "$(build_server)" "$@"
