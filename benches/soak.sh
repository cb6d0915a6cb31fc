#!/usr/bin/env bash
# Measures how the memory of a run at 2,000 requests a second grows after its first five minutes. Ends
# with 1 when it is more than 1 MiB in ten minutes. SECONDS_ALL=600 SECONDS_FIRST=120 benches/soak.sh
# takes less than half an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
measured soak
