#!/usr/bin/env bash
# Measures what Throng says of a server that stands still for 5 s of every 10, and for 1 s of every 5,
# against what the schedule says; oha and wrk beside it. Needs two cores and 3,000 descriptors. Ends
# with 1 when a percentile is off by more than 2 % and 0.5 ms.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
debian wrk wrk || echo "left out: wrk, which could not be installed" >&2
crate oha 1.16.0 || echo "left out: oha, which could not be installed" >&2
measured frozen target/oha/bin/oha
