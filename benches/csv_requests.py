"""Measures how many requests fewer a run makes that writes a row for each of them, in turns.

    python3 benches/csv_requests.py THRONG SERVER

64 users send the same GET as fast as they can, on one core; the server has another for itself. With
three cores the thread that writes has the third, as on the machine of somebody who loads from there.
With two it shares the core of the users, and all that it does is taken from them. A packed file is
shown, but not judged. benches/csv_requests.sh builds both and calls this.
"""

import csv
import gzip
import os
import statistics
import sys
import tempfile
from pathlib import Path

from measuring import HERE, ROUNDS, Reaches, Server, run_throng, seconds_each

SECONDS = seconds_each("8")
LEAST = 0.9
WITHOUT, PLAIN, PACKED = "without", "requests.csv", "requests.csv.gz"


def rows(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="") as file:
        return sum(row["Outcome"] == "ok" for row in csv.DictReader(file))


def run(throng, target, cores, name):
    """Requests, and microseconds of CPU for each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        options = [] if name == WITHOUT else ["--csv-requests", path]
        summary, usage = run_throng(throng, HERE / "get.yaml", target, cores, "--workers", "1",
                                    "-t", f"{SECONDS}s", *options)
        requests = summary["totals"]["requests"]
        if options and rows(path) != requests:
            sys.exit(f"{rows(path)} rows for {requests} requests")
    return requests, 1e6 * (usage.ru_utime + usage.ru_stime) / requests


def main(throng, server):
    three = os.cpu_count() > 2
    cores = "0,1" if three else "0"
    row = "{:>5}  {:<15}  {:>10}  {:>7}"
    print(row.format("round", "file", "requests/s", "CPU µs"))
    ratios = {PLAIN: [], PACKED: []}
    with Server(server, 2 if three else 1) as target:
        for turn in range(1, ROUNDS + 1):
            seen = {}
            # Before and after, so that a machine that slows down meanwhile tells for neither.
            for name in [WITHOUT, PLAIN, PACKED, PLAIN, WITHOUT]:
                requests, cpu = run(throng, target.target, cores, name)
                seen.setdefault(name, []).append(requests)
                print(row.format(turn, name, f"{requests / SECONDS:,.0f}", f"{cpu:.2f}"), flush=True)
            base = statistics.mean(seen[WITHOUT])
            for name, found in ratios.items():
                found.append(statistics.mean(seen[name]) / base)
    print()
    reaches = Reaches()
    for name, found in ratios.items():
        single = ", ".join(f"{one:.3f}" for one in found)
        words = f"requests with {name} to those without: {statistics.median(found):.3f} ({single})"
        if name == PLAIN:
            reaches.ask(statistics.median(found) >= LEAST, f"{words}, at least {LEAST}")
        else:
            print(f"     {words}")
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
