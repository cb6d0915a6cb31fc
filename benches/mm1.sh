#!/usr/bin/env bash
# Measures a queue whose theory is known: Poisson arrivals at one server of exponential service times
# (M/M/1, 100 a second), at half, seven and eight tenths of what it can. Ten runs of each, side by
# side, with seeds of their own. Ends with 1 when theory is outside of the intervals that together
# hold in 95 of 100 cases, or when Throng and the server's own record differ.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
measured mm1
