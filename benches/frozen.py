"""Measures a server that stands still from time to time, by open arrivals, against their schedule.

    python3 benches/frozen.py THRONG SERVER OHA

The truth of an arrival is the time from when it was due to the end of the freeze that it fell into, or
nothing. The generator has core 0, the server core 1. benches/frozen.sh installs and builds all of it.
"""

import json
import os
import re
import shutil
import sys
import time

from measuring import (HERE, Reaches, Server, measure, percentile, pinned, raise_descriptors,
                       run_throng)

RATE = 500
QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p99": 0.99}
# Frozen ms of a period in ms, and for how many periods.
CASES = [(5000, 10_000, 6), (1000, 5000, 12)]
# More than whole periods, in which the server answers: otherwise p50 of the first case would be the slowest
# of all that were answered at once.
MORE = 1


def await_phase(target, part, period):
    """Until the middle of the time in which it answers; what is left of a period is then the same."""
    begun = target.log().begun
    phase = (time.monotonic() * 1000 - begun) % period
    wish = (period - part) / 2 - 500 * MORE
    time.sleep(((wish - phase) % period) / 1000)


def truth(log, part, period, count):
    """The responses, in ms, of arrivals that are sent when they are due."""
    start = min(came - 1000 * number / RATE for number, came in enumerate(sorted(log.came)))
    phases = ((start + 1000 * number / RATE) % period for number in range(count))
    return sorted(period - phase if phase >= period - part else 0.0 for phase in phases)


def of_oha(oha, target, seconds):
    command = [oha, "--no-tui", "-z", f"{seconds}s", "-q", RATE, "-c", 3000, "--latency-correction"]
    said, _ = measure(pinned(0, [*command, "--output-format", "json", f"{target}/"]))
    seen = json.loads(said)["latencyPercentiles"]
    return [1000 * seen[name] for name in QUANTILES]


def of_wrk(target, seconds):
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", "--timeout", "10s", "--latency", f"{target}/"]
    said, _ = measure(pinned(0, command))
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    found = re.findall(r"^ +\d+% +([\d.]+)(us|ms|s) *$", said, re.M)
    return [float(figure) * unit[its] for figure, its in found]


def main(throng, server, oha):
    raise_descriptors(4000)
    reaches = Reaches()
    row = "{:<9}  {:>9}  {:>9}  {:>9}  {:>9}"
    for part, period, periods in CASES:
        seconds = periods * period // 1000 + MORE
        with Server(server, 1, "--stamps", f"--freeze-ms={part}/{period}") as target:
            await_phase(target, part, period)
            options = ["--workers", "1", "--rate", f"{RATE}/s", "-t", f"{seconds}s"]
            summary, _ = run_throng(throng, HERE / "get.yaml", target.target, 0, *options)
            log = target.log()
            due = truth(log, part, period, RATE * seconds)
            rows = {"truth": [percentile(due, quantile) for quantile in QUANTILES.values()]}
            rows["throng"] = [summary["totals"][f"response_ms_{name}"] for name in QUANTILES]
            if os.path.exists(oha):
                await_phase(target, part, period)
                rows["oha"] = of_oha(oha, target.target, seconds)
            if shutil.which("wrk"):
                await_phase(target, part, period)
                rows["wrk"] = of_wrk(target.target, seconds)
        print(f"frozen {part / 1000:g} s of every {period / 1000:g} s, {RATE}/s for {seconds} s")
        print(row.format("ms", *QUANTILES))
        for name, figures in rows.items():
            print(row.format(name, *(f"{figure:,.2f}" for figure in figures)))
        reaches.ask(log.received == len(due), f"{len(due):,} were due, {log.received:,} came")
        for name, true, said in zip(QUANTILES, rows["truth"], rows["throng"]):
            most = max(0.02 * true, 0.5)
            reaches.ask(abs(said - true) <= most,
                        f"{name}: {said:,.2f} ms, in truth {true:,.2f}, at most {most:.2f} off")
        print()
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
