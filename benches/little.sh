#!/usr/bin/env bash
# Measures Little's law, N = X (R + Z), with 1, 10, 100 and 1,000 users on a server with a fixed delay:
# throughput and response as Throng says them, the wait as the plan says it. wrk beside it. Needs two
# cores. Ends with 1 when what the law gives is not within 1 % of the users.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
debian wrk wrk || echo "left out: wrk, which could not be installed" >&2
measured little
