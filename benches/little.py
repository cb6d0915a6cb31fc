"""Measures whether users, throughput and times belong together, by Little's law.

    python3 benches/little.py THRONG SERVER

The generator has core 0, the server core 1. benches/little.sh builds both and calls this.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from measuring import Reaches, Server, measure, pinned, run_throng, seconds_each

SECONDS = seconds_each("20")
USERS = [1, 10, 100, 1000]
DELAY_MS = 50
# Of the plan; its users do nothing else.
WAITS_MS = [0, 100]
WARMUP = 2


def plan(folder, wait):
    path = Path(folder) / "little.yaml"
    wait = f"{wait}ms" if wait else "none"
    # What is begun in the first seconds is left out, so that connecting and the ramp are.
    path.write_text(f"""
target: http://127.0.0.1:8000
warmup: {WARMUP}s
users:
  Reader: {{ wait: {wait}, tasks: {{ get: {{ get: / }} }} }}
""")
    return path


def of_throng(throng, target, users, wait):
    """Users by the law."""
    with tempfile.TemporaryDirectory() as folder:
        # They begin over more than one turn, so that they are not all counted at once.
        options = ["--workers", "1", "-u", str(users), "--ramp", "1s", "-t", f"{SECONDS + WARMUP}s"]
        summary, _ = run_throng(throng, plan(folder, wait), target, 0, *options)
    totals = summary["totals"]
    rate, response = totals["requests_per_s"], totals["response_ms_avg"]
    late = summary["run"]["wake_late_ms_p99"]
    return rate, response, rate * (response + wait) / 1000, late


def of_wrk(target, users):
    command = ["wrk", "-t1", f"-c{users}", f"-d{SECONDS}s", f"{target}/"]
    said, _ = measure(pinned(0, command))
    figure, unit = re.search(r"Latency +([\d.]+)(us|ms|s)", said).groups()
    response = float(figure) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
    rate = float(re.search(r"Requests/sec: +([\d.]+)", said)[1])
    return rate, response, rate * response / 1000


def main(throng, server):
    row = "{:<6}  {:>5}  {:>7}  {:>10}  {:>8}  {:>10}  {:>6}  {}"
    print(row.format("", "N", "wait ms", "X req/s", "R ms", "X (R + Z)", "/ N", ""))
    asked = []
    with Server(server, 1, f"--delay-ms={DELAY_MS}") as target:
        for wait in WAITS_MS:
            for users in USERS:
                rate, response, law, late = of_throng(throng, target.target, users, wait)
                note = f"p99 of waits {late} ms late" if late else ""
                figures = [f"{rate:,.1f}", f"{response:.3f}", f"{law:,.2f}", f"{law / users:.4f}"]
                print(row.format("throng", users, wait, *figures, note), flush=True)
                words = f"{users:,} users, wait {wait} ms: X (R + Z) / N = {law / users:.4f}"
                asked.append((0.99 <= law / users <= 1.01, words))
                if wait == 0 and shutil.which("wrk"):
                    rate, response, law = of_wrk(target.target, users)
                    figures = [f"{rate:,.1f}", f"{response:.3f}", f"{law:,.2f}", f"{law / users:.4f}"]
                    print(row.format("wrk", users, wait, *figures, "").rstrip(), flush=True)
    print()
    reaches = Reaches()
    for held, words in asked:
        reaches.ask(held, words)
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
