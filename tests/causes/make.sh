#!/usr/bin/env bash
# Makes the recorded runs with a known cause again: all, or those that are named.
#
#     tests/causes/make.sh [NAME…]
#
# A plan of plans/ says in its first lines how its server behaves (`# server: OPTIONS`, see server.py), and
# what more it takes: `# throng: OPTIONS`, `# target: URL` with PORT in it, `# pause: SECONDS EVERY` stops
# the generator, `# alone: yes` runs it by itself. What is left is NAME.jsonl.gz beside this file. All take five
# minutes on a quiet machine with two cores; on a busy one every record says that the machine was.
# THRONG is the program, AT_ONCE how many runs go on at the same time, KEEP a folder for all results.
set -euo pipefail
cd "$(dirname "$0")"
throng=$(realpath "${THRONG:-../../target/release/throng}")
[ -x "$throng" ] || { echo "there is no $throng: cargo build --release, or say THRONG=PROGRAM" >&2; exit 2; }
at_once=${AT_ONCE:-40}
last=()
keep=$(realpath -m "${KEEP:-../../target/tmp/causes}")
mkdir -p "$keep/tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
  -keyout "$keep/tls/key.pem" -out "$keep/tls/cert.pem" 2>/dev/null

head_of() { sed -n "s/^# $2: //p" "plans/$1.yaml"; }

# Stops the process $1 for $2 seconds, $3 seconds after it last went on, while it lives.
pause() {
  while sleep "$3" && kill -STOP "$1" 2>/dev/null; do
    sleep "$2"
    kill -CONT "$1" 2>/dev/null
  done
}

make() {
  local name=$1 folder="$keep/$1" server port target arguments pauses
  rm -rf "$folder"
  mkdir -p "$folder"
  read -ra arguments <<<"$(head_of "$name" server)"
  python3 -B server.py "${arguments[@]/TLS/$keep/tls}" >"$folder/port" 2>"$folder/server" &
  server=$!
  until [ -s "$folder/port" ]; do sleep 0.05; done
  port=$(cat "$folder/port")
  target=$(head_of "$name" target)
  target=${target:-http://127.0.0.1:PORT}
  read -ra arguments <<<"$(head_of "$name" throng)"
  cp "plans/$name.yaml" "$folder/"
  (cd "$folder" && exec "$throng" run "$name.yaml" -H "${target/PORT/$port}" --seed 1 --no-report --quiet \
    --out out "${arguments[@]}" >said 2>&1) &
  local run=$!
  read -ra pauses <<<"$(head_of "$name" pause)"
  if [ ${#pauses[@]} -gt 0 ]; then pause "$run" "${pauses[@]}" & fi
  # What the run shows may break its thresholds, or make it one that cannot be trusted.
  wait "$run" || true
  kill "$server" 2>/dev/null || true
  gzip -dc "$folder/out/record.jsonl.gz" | gzip -9n >"$name.jsonl.gz"
  echo "$name: $(sed -n 1p "$folder/said")"
}

if [ $# -eq 0 ]; then
  # A generator that is to be at its limit would be the limit of the others as well: last, one by one.
  mapfile -t names < <(cd plans && grep -L '^# alone: yes' -- *.yaml)
  set -- "${names[@]%.yaml}"
  mapfile -t last < <(cd plans && grep -l '^# alone: yes' -- *.yaml)
fi
for name in "$@"; do
  while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n; done
  make "$name" &
done
wait
for name in "${last[@]%.yaml}"; do make "$name"; done
