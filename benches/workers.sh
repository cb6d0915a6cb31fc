#!/usr/bin/env bash
# Measures what a request costs when two workers share the load, beside one worker; two processes with a
# worker each, which share nothing, and wrk's threads beside them. Needs two cores. Ends with 1 when
# two workers cost more than a tenth more. ROUNDS=5 SECONDS_EACH=20 measures longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
debian wrk wrk || echo "left out: wrk, which could not be installed" >&2
measured workers
