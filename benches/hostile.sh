#!/usr/bin/env bash
# Measures what `throng check` takes, in time and memory, to refuse plans written to hang or fill it.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

build_throng
exec python3 -B benches/hostile.py target/release/throng
