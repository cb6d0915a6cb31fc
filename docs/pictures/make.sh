#!/usr/bin/env bash
# Makes the pictures of the README anew: a run on the built-in Todo API, seen in a terminal and in its report.
# Needs tmux, Chromium, Node.js and Python 3. THRONG=path takes a binary that is there; otherwise it is built.
set -euo pipefail
cd "$(dirname "$0")/../.."
pictures=$PWD/docs/pictures

if [[ -z ${THRONG:-} ]]; then
  cargo build --quiet --release
  THRONG=${CARGO_TARGET_DIR:-$PWD/target}/release/throng
fi
work=$(mktemp -d)
# A tmux server of its own: the user's sessions and settings are left alone.
tmux() { command tmux -S "$work/tmux" -f /dev/null "$@"; }
trap 'tmux kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$(realpath "$THRONG")" "$work/bin/throng"
cp -r plans "$work/plans"

# The run, in a terminal of 100 columns; the screen is taken in its 24th second.
tmux new-session -d -x 100 -y 28 -c "$work" \
  "env PS1='\$ ' PATH='$work/bin:$PATH' LANG=C.UTF-8 TERM=screen-256color bash --norc --noprofile"
screen() { tmux capture-pane -e -p; }
wait_for() {
  local tries
  for tries in $(seq 600); do
    if screen | grep -q "$1"; then return 0; fi
    if [[ $(tmux list-panes -F '#{pane_dead}') == 1 ]]; then break; fi
    sleep 0.1
  done
  echo "the terminal never showed: $1" >&2
  screen >&2
  exit 1
}
# What is typed before the prompt is there shows twice.
wait_for '^\$'
tmux send-keys 'throng run plans/todo.yaml --demo -u 50 -r 5 -t 30s --seed 7 --out results' Enter
wait_for '24s of'
screen >"$work/live.ansi"
wait_for 'Results:'
screen >"$work/end.ansi"

# A picture of a page: its file, its colours (0 dark, 1 light), its size, where it goes.
shoot() {
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
    --blink-settings=preferredColorScheme="$2" --window-size="$3" --screenshot="$pictures/$4" \
    "file://$1" >"$work/chromium.log" 2>&1 || { cat "$work/chromium.log" >&2; exit 1; }
}
for name in live end; do
  size=$(python3 docs/pictures/ansi_to_html.py "$work/$name.ansi" "$work/$name.html")
  shoot "$work/$name.html" 0 "$size" "terminal-$name.png"
done
shoot "$work/results/report.html" 1 1200,1095 report-light.png
shoot "$work/results/report.html" 0 1200,1095 report-dark.png

# Parts of reports, of recorded runs.
for run in timeouts_at_load knee_stairs one_name_slow; do
  "$work/bin/throng" report "tests/causes/$run.jsonl.gz" --out "$work/causes/$run" --quiet >/dev/null || [ $? -eq 1 ]
done
npm ci --silent --no-audit --no-fund --prefix tests/browser
node docs/pictures/report.mjs "$work/causes" "$pictures"

for picture in "$pictures"/*.png; do
  bytes=$(stat -c %s "$picture")
  echo "$(basename "$picture")  $((bytes / 1024)) KB"
  if ((bytes > 200 * 1024)); then echo "too large for a README" >&2; exit 1; fi
done
