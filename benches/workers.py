"""Measures the CPU of a request with two workers and with one, in turns.

    python3 benches/workers.py THRONG SERVER

64 users send the same GET as fast as they can; the server has a core for itself. With three cores the
generators have the two others. With two they have one: the other, shared with the server, would
have the second worker wait and wake for it, which is shown but not judged.
benches/workers.sh builds both and calls this.
"""

import os
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from measuring import (HERE, ROUNDS, Reaches, Server, measure, measure_together, pinned, requests_of,
                       run_throng, seconds_each)

SECONDS = seconds_each("5")
MOST = 1.1
ONE, TWO, APART = "1 worker", "2 workers", "2 processes"


def workers(throng, target, cores, count):
    options = ["--workers", str(count), "-t", f"{SECONDS}s"]
    summary, usage = run_throng(throng, HERE / "get.yaml", target, cores, *options)
    return summary["totals"]["requests"], [usage]


def processes(throng, target, cores):
    """Two, with half of the users and one worker each."""
    with tempfile.TemporaryDirectory() as folder:
        outs = [Path(folder) / number for number in "12"]
        commands = [
            pinned(cores, [throng, "run", HERE / "get.yaml", "--target", target, "--workers", 1,
                           "-u", 32, "-t", f"{SECONDS}s", "--out", out])
            for out in outs
        ]
        usages = measure_together(commands)
        return sum(requests_of(out) for out in outs), usages


def wrk(target, cores, threads):
    command = ["wrk", f"-t{threads}", "-c64", f"-d{SECONDS}s", f"{target}/"]
    said, usage = measure(pinned(cores, command))
    return int(re.search(r"(\d+) requests in", said)[1]), [usage]


def main(throng, server):
    three = os.cpu_count() > 2
    generators = {
        ONE: lambda *where: workers(throng, *where, 1),
        TWO: lambda *where: workers(throng, *where, 2),
        APART: lambda *where: processes(throng, *where),
    }
    if shutil.which("wrk"):
        generators |= {"wrk -t1": lambda *where: wrk(*where, 1), "wrk -t2": lambda *where: wrk(*where, 2)}
    row = "{:<6}  {:>5}  {:<12}  {:>10}  {:>7}  {:>7}  {:>7}"
    print(row.format("cores", "round", "generator", "requests/s", "CPU µs", "user µs", "sys µs"))
    ratios = {}
    with Server(server, 2 if three else 1) as target:
        for cores in ["0,1"] if three else ["0", "0,1"]:
            for turn in range(1, ROUNDS + 1):
                cpu = {}
                for name, run in generators.items():
                    requests, usages = run(target.target, cores)
                    user, system = (
                        1e6 * sum(getattr(usage, kind) for usage in usages) / requests
                        for kind in ("ru_utime", "ru_stime")
                    )
                    cpu[name] = user + system
                    figures = [f"{figure:.2f}" for figure in (user + system, user, system)]
                    rate = f"{requests / SECONDS:,.0f}"
                    print(row.format(cores, turn, name, rate, *figures), flush=True)
                for name, base in [(TWO, ONE), (APART, ONE), ("wrk -t2", "wrk -t1")]:
                    if name in cpu:
                        ratios.setdefault((cores, name), []).append(cpu[name] / cpu[base])
    print()
    reaches = Reaches()
    for (cores, name), seen in ratios.items():
        ratio, single = statistics.median(seen), ", ".join(f"{one:.2f}" for one in seen)
        words = f"cores {cores}: CPU of a request, {name} to one: {ratio:.2f} ({single})"
        if name == TWO and cores == ("0,1" if three else "0"):
            reaches.ask(ratio <= MOST, f"{words}, at most {MOST}")
        else:
            print(f"     {words}")
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
