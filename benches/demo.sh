#!/usr/bin/env bash
# How many answers a second the embedded Todo API gives on one core, asked by wrk from the other.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

debian wrk wrk
build_throng
log=$(mktemp)
taskset -c 1 target/release/throng demo --port 0 2>"$log" &
demo=$!
trap 'kill "$demo" 2>/dev/null; rm -f "$log"' EXIT
until url=$(sed -n 's/.*\(http:[^;]*\);.*/\1/p' "$log") && [ -n "$url" ]; do
  kill -0 "$demo"
  sleep 0.05
done
create=$(mktemp)
printf '%s\n' 'wrk.method = "POST"' 'wrk.headers["Content-Type"] = "application/json"' \
  "wrk.body = '{\"title\":\"a todo\"}'" >"$create"
ask() { taskset -c 0 wrk -t1 -c64 -d "${SECONDS_EACH:-4}s" "${@:2}" | awk -v what="$1" '/Requests\/sec/ { printf "%-18s %8d answers/s\n", what, $2 }'; }
ask 'create a todo' -s "$create" "$url/todos/"
ask 'read a todo' "$url/todos/1"
ask 'list 100 todos' "$url/todos/"
ask 'health' "$url/health"
rm -f "$create"
