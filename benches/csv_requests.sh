#!/usr/bin/env bash
# Measures what a row for each request costs a run that asks as fast as it can: with and without
# `--csv-requests`, in turns. Needs two cores. Ends with 1 when it makes more than a tenth fewer requests.
# ROUNDS=5 SECONDS_EACH=20 measures longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
measured csv_requests
