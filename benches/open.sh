#!/usr/bin/env bash
# Measures how true the open form is to its schedule, at 1,000 and 10,000 arrivals a second on one core:
# what was due, what Throng says it sent and what the server saw, and how late it came. oha beside it.
# Needs two cores. Ends with 1 when one request is missing or too many, or when it is late (p99) by more
# than 0.5 ms and 1 ms. SECONDS_EACH=20 benches/open.sh is quicker.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
crate oha 1.16.0 || echo "left out: oha, which could not be installed" >&2
measured open target/oha/bin/oha
