"""Runs the Todo plan by Throng and by Locust in turns on the FastAPI app, and compares the two.

    python3 benches/with_locust.py THRONG LOCUST VENV

Each generator runs on core 0; the app, a new one for each run, on core 1. VENV holds the packages
of tests/peers/requirements.txt. benches/locust.sh installs and builds all of it and calls this.
"""

import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

from measuring import HERE, ROUNDS, Sleepers, measure, pinned, seconds_each

ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tests" / "peers"))
from todo import App  # noqa: E402

SECONDS = seconds_each("15")
LOAD = ["-u", "20", "-r", "5", "-t", f"{SECONDS}s"]
# How late a sleeper may be on average; above it others had these cores, and a round does not count.
LATE_MS = 1.0
# How far Throng's p50 may be above Locust's, which is in whole milliseconds.
P50_MS_ABOVE = 1.0


class Run:
    """A run of a generator on an app of its own: what it counted, and what it used."""

    def __init__(self, venv, folder, make_command, read):
        folder.mkdir()
        with App(venv, folder / "app.log") as app:
            # Threads that start later have the core of the one that starts them.
            for thread in os.listdir(f"/proc/{app.process.pid}/task"):
                os.sched_setaffinity(int(thread), {1})
            # `time` is small, and so is the memory that a program inherits from what starts it.
            peak = folder / "peak"
            command = ["time", "-f", "%M", "-o", peak, *make_command(app.target, folder)]
            with Sleepers() as sleepers:
                self.said, usage = measure(pinned(0, command))
        self.late_ms = sleepers.late_ms
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.peak_mb = int(peak.read_text()) / 1024
        self.names, self.failures, self.p50, self.p95, self.mean = read(folder)
        self.requests = sum(self.names.values())
        # Asked just before the end, a request may be counted by the app alone.
        self.app_saw = len(app.requests())

    @property
    def cpu_ms(self):
        return 1000 * self.cpu_s / self.requests


def read_throng(folder):
    summary = json.loads((folder / "results" / "summary.json").read_text())
    totals = summary["totals"]
    names = Counter({name["name"]: name["requests"] for name in summary["names"]})
    times = (totals[f"response_ms_{which}"] for which in ("p50", "p95", "avg"))
    return names, totals["failures"], *times


def read_locust(folder):
    """By its own rule: the time, in whole milliseconds, that so many did not exceed."""
    entries = json.loads((folder / "locust.json").read_text())
    names, times = Counter(), Counter()
    for entry in entries:
        names[entry["name"]] += entry["num_requests"]
        times.update({float(ms): count for ms, count in entry["response_times"].items()})
    each = sorted(times.elements())

    def percentile(share):
        return each[min(len(each) - 1, int(len(each) * share))]

    mean = sum(entry["total_response_time"] for entry in entries) / len(each)
    failures = sum(entry["num_failures"] for entry in entries)
    return names, failures, percentile(0.5), percentile(0.95), mean


def main(*programs):
    throng, locust, venv = (Path(program).absolute() for program in programs)
    generators = {
        "throng": (
            lambda target, folder: [
                *(throng, "run", ROOT / "plans" / "todo.yaml", "--target", target, *LOAD),
                *("--out", folder / "results", "TodoUser"),
            ],
            read_throng,
        ),
        "locust": (
            lambda target, folder: [
                *(locust, "-f", HERE / "locustfile.py", "--headless", "--host", target, *LOAD),
                *("--json-file", folder / "locust", "--only-summary", "TodoUser"),
            ],
            read_locust,
        ),
    }
    row = "{:>5}  {:<9}  {:>8}  {:>8}  {:>7}  {:>7}  {:>7}  {:>6}  {:>8}  {:>7}"
    print(row.format("round", "generator", "requests", "app saw", "p50 ms", "p95 ms", "mean ms",
                     "CPU s", "peak MiB", "late ms"))
    rounds, turn = [], 0
    with tempfile.TemporaryDirectory() as temporary:
        while len(rounds) < ROUNDS and turn < 3 * ROUNDS:
            turn += 1
            runs = {}
            for name, (make_command, read) in generators.items():
                run = Run(venv, Path(temporary) / f"{name}{turn}", make_command, read)
                figures = [f"{run.p50:.1f}", f"{run.p95:.1f}", f"{run.mean:.2f}"]
                figures += [f"{run.cpu_s:.2f}", f"{run.peak_mb:.1f}", f"{run.late_ms:.2f}"]
                print(row.format(turn, name, run.requests, run.app_saw, *figures), flush=True)
                if run.failures:
                    sys.exit(f"{name} met {run.failures} failures:\n{run.said}")
                if not run.requests:
                    sys.exit(f"{name} counted no request:\n{run.said}")
                runs[name] = run
            if all(run.late_ms < LATE_MS for run in runs.values()):
                rounds.append((runs["throng"], runs["locust"]))
            else:
                print("       something else used these cores: this round does not count")
    if not rounds:
        sys.exit("no round counts: try again when the machine has less to do")
    return compare(rounds)


def compare(rounds):
    counted = [sum((run.names for run in runs), Counter()) for runs in zip(*rounds)]
    row = "{:<28}  {:>9}  {:>9}  {:>15}"
    columns = ["throng", "locust", "throng / locust"]
    print("\n" + row.format("requests of all rounds", *columns))
    for name in sorted(counted[0] | counted[1]):
        print(row.format(name, *(names[name] for names in counted), ""))
    totals = [names.total() for names in counted]
    print(row.format("Aggregated", *totals, f"{totals[0] / totals[1]:.2f}"))

    print("\n" + row.format("medians of the rounds", *columns))
    for title, digits, figure in [
        ("response time p50, ms", 1, lambda run: run.p50),
        ("response time p95, ms", 1, lambda run: run.p95),
        ("response time mean, ms", 2, lambda run: run.mean),
        ("CPU of the generator, s", 3, lambda run: run.cpu_s),
        ("CPU per request, ms", 2, lambda run: run.cpu_ms),
        ("peak memory, MiB", 1, lambda run: run.peak_mb),
    ]:
        middle = [statistics.median(map(figure, runs)) for runs in zip(*rounds)]
        ratio = statistics.median(figure(throng) / figure(locust) for throng, locust in rounds)
        print(row.format(title, *(f"{value:.{digits}f}" for value in middle), f"{ratio:.3f}"))

    above = statistics.median(throng.p50 - locust.p50 for throng, locust in rounds)
    said = f"Throng's p50 is {abs(above):.1f} ms {'above' if above > 0 else 'below'} Locust's"
    if above > P50_MS_ABOVE:
        print(f"\nFAIL {said}: more than {P50_MS_ABOVE:.0f} ms")
        return 1
    print(f"\nok   {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
