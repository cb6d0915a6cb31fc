#!/usr/bin/env bash
# Installs what the tests need, and passes them all. On a fresh machine it needs Rust, a C compiler,
# Python 3, Node.js, and the package registries; it installs Chromium when it may (as root).
set -euo pipefail
cd "$(dirname "$0")/.."

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

say "Form"
cargo fmt --check
cargo clippy --quiet --all-targets -- -D warnings

say "Crates: what they are and where they come from"
if ! command -v cargo-deny >/dev/null; then
  cargo install --quiet --locked cargo-deny
fi
cargo deny --log-level error check bans licenses sources

say "Tests that need nothing installed"
log=$(mktemp)
cargo test --quiet 2>&1 | tee "$log"
passed=$((passed + $(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$log" | paste -sd+ - | bc)))
rm -f "$log"

say "The report in a browser"
if ! command -v chromium >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
npm ci --silent --no-audit --no-fund --prefix tests/browser
# `tests/report.rs` has left a page for each kind of run there; this one is of a real run.
cargo run --quiet --release -- run plans/todo.yaml --demo -t 4s --out target/tmp/run >/dev/null 2>&1
cp target/tmp/run/report.html target/tmp/reports/a_real_run.html
counted node tests/browser/report.mjs target/tmp/reports/*.html

say "A run against the FastAPI app"
venv=target/peers
if ! "$venv/bin/uvicorn" --version >/dev/null 2>&1; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/peers/requirements.txt
fi
counted python3 tests/peers/todo.py "$venv" target/release/throng

say "The first command of the README"
cargo run --quiet --release -- run plans/todo.yaml --demo

printf '\n%s passed, 0 failed\n' "$passed"
