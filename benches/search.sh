#!/usr/bin/env bash
# Measures how near a search comes to a limit that is known: servers that serve so many requests a second,
# one after the other, and no more. Twenty searches for users, and twenty for a rate, each on a server of its own.
# Ends with 1 when less than 19 of 20 are within 5 %. RUNS=5 makes fewer, JOBS=2 fewer at once,
# OF=users or OF=rate one kind alone. With FIRST=yes (as root) it goes before all other work of the machine:
# a rate is not searched for where arrivals are late.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
build_throng
first=()
[ -z "${FIRST:-}" ] || first=(chrt -f 10)
exec "${first[@]}" python3 -B benches/search.py target/release/throng
