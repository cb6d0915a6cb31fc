"""Measures an M/M/1 queue against its theory, and against the record of the server.

    python3 benches/mm1.py THRONG SERVER

With arrivals at the rate λ and service at µ, the time in the system is exponentially distributed with
the mean 1/(µ − λ). Successive customers are anything but independent: the unit is a run. What Throng
measures has the way to the server in it as well. benches/mm1.sh builds both and calls this.
"""

import contextlib
import math
import os
import statistics
import sys
import time

from measuring import HERE, Reaches, Running, Server, percentile

SERVICE = 100
ARRIVALS = [50, 70, 80]
RUNS = int(os.environ.get("RUNS", "10"))
WARMUP = 20
SECONDS = int(os.environ.get("SECONDS_EACH", "180"))
FIGURES = {"avg": None, "p50": 0.5, "p95": 0.95, "p99": 0.99}
# What the way to the server and back may add to the time in the queue, as delays.py has it.
WAY_MS = 0.2
# Student's t, two-sided, by degrees of freedom: for 95 %, and for 95 % of the figures of a rate together
# (Bonferroni: 98.75 % each).
STUDENT = {4: (2.776, 4.315), 9: (2.262, 3.111), 19: (2.093, 2.774)}


def theory(rate, quantile):
    mean = 1000 / (SERVICE - rate)
    return mean if quantile is None else -math.log(1 - quantile) * mean


def of_server(log):
    """The same of the server's own record, without the warm-up."""
    begin = min(log.came) + 1000 * WARMUP
    times = sorted(left - came for came, left in zip(log.came, log.left) if left >= begin)
    return [
        statistics.mean(times) if quantile is None else percentile(times, quantile)
        for quantile in FIGURES.values()
    ]


def measured(throng, server):
    """By rate: of each run what Throng says and what the server saw."""
    with contextlib.ExitStack() as stack:
        runs = []
        for rate in ARRIVALS:
            for seed in range(1, RUNS + 1):
                options = [f"--queue-per-s={SERVICE}", f"--seed={1000 * rate + seed}", "--stamps"]
                target = stack.enter_context(Server(server, 1, *options))
                options = ["--target", target.target, "--workers", "1"]
                options += ["--rate", f"{rate}/s", "-t", f"{WARMUP + SECONDS}s"]
                run = Running(throng, HERE / "mm1.yaml", 0, *options, seed=seed)
                stack.enter_context(run)
                runs.append((rate, target, run))
                # So that not all of them begin and end their seconds together.
                time.sleep(0.037)
        seen = {}
        for rate, target, run in runs:
            totals = run.summary()["totals"]
            if totals["failures"]:
                sys.exit(f"{totals['failures']} requests failed")
            said = [totals[f"response_ms_{name}"] for name in FIGURES]
            seen.setdefault(rate, []).append((said, of_server(target.log()), totals["requests"]))
        return seen


def main(throng, server):
    reaches, asked = Reaches(), []
    row = "{:>4}  {:<4}  {:>8}  {:>8}  {:>17}  {:>3}  {:>17}  {:>8}  {:>11}"
    print(row.format("ρ", "ms", "theory", "throng", "95 %", "in", "together 95 %", "server", "at most off"))
    for rate, runs in measured(throng, server).items():
        for number, (name, quantile) in enumerate(FIGURES.items()):
            said = [run[0][number] for run in runs]
            saw = [run[1][number] for run in runs]
            mean, true = statistics.mean(said), theory(rate, quantile)
            error = statistics.stdev(said) / math.sqrt(len(runs))
            single, together = (error * t for t in STUDENT[len(runs) - 1])
            inside = abs(mean - true) <= single
            off = max(abs(one - other) for one, other in zip(said, saw))
            most = max(0.5, 0.01 * true)
            figures = [f"{true:.2f}", f"{mean:.2f}", f"{mean - single:.2f}..{mean + single:.2f}"]
            figures += ["yes" if inside else "no", f"{mean - together:.2f}..{mean + together:.2f}"]
            figures += [f"{statistics.mean(saw):.2f}", f"{off:.2f}"]
            print(row.format(rate / SERVICE, name, *figures), flush=True)
            words = f"ρ = {rate / SERVICE}, {name}: {mean:.2f} ms, theory {true:.2f}"
            low, high = mean - together - WAY_MS, mean + together
            asked.append((low <= true <= high, words))
            asked.append((off <= most, f"{words.partition(':')[0]}: within {most:.2f} ms of what the "
                                       f"server saw, in each run"))
        print(f"      {sum(run[2] for run in runs):,} requests in {len(runs)} runs of {SECONDS} s")
    print()
    for held, words in asked:
        reaches.ask(held, words)
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
