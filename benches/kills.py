"""Kills runs at random moments, and sees what of them is lost: `kills.py THRONG [RUNS]`.

SIGKILL: the record reads, and at most a second of what was measured is missing. SIGINT and SIGTERM: all files
are there, they agree, and the exit code is that of the signal.
"""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

PLAN = """
target: http://127.0.0.1:1
users:
  A: { wait: { pace: 20ms }, tasks: { a: { get: /todos/ }, b: { get: /todos/999999, name: b } } }
profiles: { long: { users: 5, hold: 10m } }
"""
FILES = [
    "stats.csv",
    "stats_history.csv",
    "failures.csv",
    "exceptions.csv",
    "summary.json",
    "report.html",
    "record.jsonl.gz",
    "plan.yaml",
]


def main():
    throng = os.path.abspath(sys.argv[1])
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    demo = subprocess.Popen([throng, "demo", "--port", "0"], stderr=subprocess.PIPE, text=True)
    target = next(word.rstrip(";") for word in demo.stderr.readline().split() if word.startswith("http"))
    random.seed(7)
    failed, lost = 0, []
    try:
        with tempfile.TemporaryDirectory() as folder:
            open(f"{folder}/plan.yaml", "w").write(PLAN)
            for number in range(runs):
                for kind in (signal.SIGKILL, random.choice([signal.SIGINT, signal.SIGTERM])):
                    problem = one(throng, target, folder, f"{kind.name}-{number}", kind, lost)
                    if problem:
                        failed += 1
                        print(f"{kind.name} {number}: {problem}")
    finally:
        demo.terminate()
        demo.wait()
    print(f"lost to SIGKILL: {max(lost):.2f} s at most, {sum(lost) / len(lost):.2f} s on average")
    print(f"{2 * runs - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def one(throng, target, folder, name, kind, lost):
    """What is wrong with a run that is ended so; none when nothing is."""
    run = subprocess.Popen(
        [throng, "run", "plan.yaml", "-H", target, "--out", name, "--quiet"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    record = f"{folder}/{name}/record.jsonl.gz"
    # The run begins when its record does.
    while not (os.path.exists(record) and os.path.getsize(record) > 400):
        time.sleep(0.001)
    start = time.monotonic()
    time.sleep(random.uniform(0.1, 4.0))
    run.send_signal(kind)
    ran = time.monotonic() - start
    out, err = run.communicate(timeout=60)
    if b"panicked" in err:
        return err.decode()
    if kind == signal.SIGKILL:
        again = subprocess.run([throng, "report", name, "--quiet"], cwd=folder, capture_output=True)
        if again.returncode != 3:
            return f"report ended with {again.returncode}: {again.stderr.decode()}"
        summary = json.load(open(f"{folder}/{name}/summary.json"))
        lost.append(max(0.0, ran - summary["run"]["duration_s"]))
        # What is lost is the second that was under way; a tenth is for the clocks of two programs.
        if lost[-1] > 1.1:
            return f"{lost[-1]:.2f} s of {ran:.2f} s are lost"
    elif run.returncode != 128 + kind:
        return f"exit code {run.returncode}"
    missing = [file for file in FILES if not os.path.exists(f"{folder}/{name}/{file}")]
    if missing:
        return f"missing: {missing}"
    summary = json.load(open(f"{folder}/{name}/summary.json"))
    rows = list(csv.DictReader(open(f"{folder}/{name}/stats.csv", newline="")))
    counted = int(rows[-1]["Request Count"])
    history = list(csv.DictReader(open(f"{folder}/{name}/stats_history.csv", newline="")))
    total = int(history[-1]["Total Request Count"]) if history else 0
    if not counted == total == summary["totals"]["requests"]:
        return f"{counted} requests in stats.csv, {total} in stats_history.csv"
    if any("add up" in reason for reason in summary["validity"]["reasons"]):
        return summary["validity"]["reasons"]
    return None


main()
