#!/usr/bin/env bash
# Measures what 1,000,000 users weigh that share 1,000 connections and wait 10 to 60 s between requests;
# 500 of Locust's beside them. Needs two cores and 2,000 descriptors. Ends with 1 when they take more than
# 1 GiB, or when a request fails. USERS=100000 benches/million.sh is quicker.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
pypi locust "$bench_venv" locust==2.47.0 || echo "left out: Locust, which could not be installed" >&2
measured million "$bench_venv/bin/locust"
