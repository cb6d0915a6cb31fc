#!/usr/bin/env bash
# Installs what the tests need, and passes them all. On a fresh machine it needs Rust, a C compiler and
# the package registries; Python, Node.js, Chromium and nginx it installs from Debian's (as root).
set -euo pipefail
cd "$(dirname "$0")/.."
# In a workflow of GitHub the runs of the tests would annotate it, and fill the page of its step.
unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY GITHUB_WORKSPACE

# Most tests wait for a server, a second or a timeout.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * $(nproc)))}

say() { printf '\n== %s\n' "$*"; }
passed=0
# Runs a test that prints `N passed, M failed` on its last line, and adds it up.
counted() {
  local log
  log=$(mktemp)
  "$@" | tee "$log"
  passed=$((passed + $(sed -n 's/^\([0-9]*\) passed, 0 failed$/\1/p' "$log" | tail -n 1)))
  rm -f "$log"
}

# need COMMAND PACKAGE…: a package of Debian, unless the command is there.
updated=
need() {
  command -v "$1" >/dev/null && return
  [ -n "$updated" ] || apt-get update -qq
  updated=yes
  apt-get install -y -qq --no-install-recommends "${@:2}" >/dev/null
}
need python3 python3 python3-venv
need npm nodejs npm
need chromium chromium
need nginx nginx-light

say "Form"
cargo fmt --check
cargo clippy --quiet --all-targets -- -D warnings

# Its last step takes minutes, and one processor alone: the tests that need the program come later.
release_log=$(mktemp)
cargo build --quiet --release >"$release_log" 2>&1 &
release=$!

say "Crates: what they are and where they come from"
if ! command -v cargo-deny >/dev/null; then
  # It runs once: making it fast takes longer than it does.
  cargo install --quiet --locked --debug cargo-deny
fi
cargo deny --log-level error check bans licenses sources

say "Tests that need nothing installed"
log=$(mktemp)
cargo test --quiet 2>&1 | tee "$log"
passed=$((passed + $(awk '/^test result: ok/ { sum += $4 } END { print sum + 0 }' "$log")))
rm -f "$log"

wait "$release" || { cat "$release_log"; exit 1; }
rm -f "$release_log"

# They take one processor, and a minute or two: beside them others go on.
histograms_log=$(mktemp)
{
  PROPTEST_CASES=10000 cargo test --quiet --lib parts_in_any_order_are_stored &&
    cargo test --quiet --lib a_million_times -- --ignored
} >"$histograms_log" 2>&1 &
histograms=$!

say "Plans as another YAML reader and an editor take them"
npm ci --silent --no-audit --no-fund --prefix tests/peers
counted node tests/peers/yaml_trees.mjs target/tmp/trees.json
npm ci --silent --no-audit --no-fund --prefix tests/editor
counted node tests/editor/plans.mjs

say "The report in a browser"
npm ci --silent --no-audit --no-fund --prefix tests/browser
# `tests/report.rs` has left a page for each kind of run there; this one is of a real run.
# On a busy machine a threshold may break, or nothing be trusted: the page is what is looked at.
cargo run --quiet --release -- run plans/todo.yaml --demo -u 20 -t 4s --out target/tmp/run >/dev/null 2>&1 || [[ $? =~ ^[13]$ ]]
cp target/tmp/run/report.html target/tmp/reports/a_real_run.html
counted node tests/browser/report.mjs target/tmp/reports/*.html
counted node tests/browser/comparison.mjs target/tmp/comparisons/*.html

say "Histograms: ten thousand merges, and percentiles of five million times against an exact sort"
wait "$histograms" || { cat "$histograms_log"; exit 1; }
cat "$histograms_log"
passed=$((passed + $(awk '/^test result: ok/ { sum += $4 } END { print sum + 0 }' "$histograms_log")))
rm -f "$histograms_log"

say "A run against the FastAPI app"
venv=target/peers
if ! "$venv/bin/python" -c 'import uvicorn, yaml, httpbin, gunicorn, trustme, lxml, cmarkgfm, prometheus_client, check_jsonschema, pandas' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/peers/requirements.txt
fi
counted "$venv/bin/python" tests/peers/yaml_trees.py target/tmp/trees.json
counted python3 tests/peers/todo.py "$venv" target/release/throng

say "What CI systems read, as other programs read it"
# `cargo test` has left the texts there.
counted "$venv/bin/python" -B tests/peers/ci.py target/tmp/ci.json

say "The CSV files as Locust's users read them"
counted "$venv/bin/python" -B tests/peers/csv_files.py target/release/throng

say "A thousand random thresholds, judged again from the row of each request"
counted python3 -B tests/peers/judge.py target/tmp/judged

say "Runs against nginx and httpbin"
counted "$venv/bin/python" -B tests/peers/servers.py "$venv" target/release/throng

say "The first command of the README"
cargo run --quiet --release -- run plans/todo.yaml --demo

printf '\n%s passed, 0 failed\n' "$passed"
