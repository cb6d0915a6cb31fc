#!/usr/bin/env bash
# Measures the memory of what could grow without a bound: 1,000,000 different URLs, 10,000 different
# errors, 1,000 names with every kind of time on two workers; and whether a worker stands still when a second
# ends. Needs two cores and 3,000 descriptors. Ends with 1 when one takes more than 300 MiB, when what
# is too much is not counted and named, or when a worker stands still for more than 20 ms.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh
measured bounds
