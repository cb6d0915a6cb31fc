#!/usr/bin/env bash
# Measures what Throng says of a server that answers after 1, 5, 20, 100 and 500 ms, against the stamps
# of that server; oha beside it. Needs two cores. Ends with 1 when p50 is off by more than 0.2 ms and
# 0.5 %, or p99 by more than 1 ms and 1 %.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
crate oha 1.16.0 || echo "left out: oha, which could not be installed" >&2
measured delays target/oha/bin/oha
