#!/usr/bin/env bash
# Measures what 15,000 users weigh that have a connection each. Needs two cores and 16,000 descriptors.
# Ends with 1 when one weighs more than 1.5 KB above a run with one user, or when one is not connected.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
measured connected
