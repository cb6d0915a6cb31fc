"""Measures Throng and wrk in turns against the server of this folder, and prints the ratios.

    python3 benches/wrk.py THRONG SERVER

Each generator runs on core 0, the server on core 1. benches/wrk.sh builds both and calls this.
"""

import re
import statistics
import sys

from measuring import HERE, ROUNDS, Reaches, Server, measure, pinned, run_throng, seconds_each

SECONDS = seconds_each("8")
USERS = 64


def wrk(target):
    command = ["wrk", "-t1", f"-c{USERS}", f"-d{SECONDS}s", f"{target}/"]
    said, usage = measure(pinned(0, command))
    if "Socket errors" in said or "Non-2xx" in said:
        sys.exit(f"wrk met errors:\n{said}")
    requests = int(re.search(r"(\d+) requests in", said)[1])
    return requests, float(re.search(r"Requests/sec: +([\d.]+)", said)[1]), usage


def throng(binary, plan, target):
    options = ["--workers", "1", "-t", f"{SECONDS}s"]
    summary, usage = run_throng(binary, HERE / plan, target, 0, *options)
    requests = summary["totals"]["requests"]
    return requests, requests / summary["run"]["duration_s"], usage


def main(binary, server):
    with Server(server, 1) as target:
        rounds = measured(binary, target)
    if not rounds:
        sys.exit("no round counts: try again when the machine has less to do")
    print(f"\nmedian of the ratios of {len(rounds)} rounds   requests/s  CPU per request")
    ratios = {}
    for name in ["throng: get", "throng: step"]:
        rates, cpus = ratios[name] = [
            statistics.median(seen[name][i] / seen["wrk"][i] for seen in rounds) for i in (0, 1)
        ]
        print(f"{name + ' / wrk':<32}  {rates:>8.2f}  {cpus:>15.2f}")
    print()
    reaches = Reaches()
    (rate, get), (_, step) = ratios["throng: get"], ratios["throng: step"]
    reaches.ask(get <= 0.80, f"a GET takes {get:.2f} of wrk's CPU, at most 0.80")
    reaches.ask(rate >= 1.25, f"{rate:.2f} of wrk's requests per second, at least 1.25")
    reaches.ask(step <= 1.0, f"a step takes {step:.2f} of the CPU of wrk's GET, at most 1.0")
    return reaches.exit_code()


def measured(binary, target):
    """The rounds that count; each generator's requests a second and CPU for one."""
    generators = {
        "wrk": lambda: wrk(target.target),
        "throng: get": lambda: throng(binary, "get.yaml", target.target),
        "throng: step": lambda: throng(binary, "step.yaml", target.target),
    }
    row = "{:>5}  {:<12}  {:>10}  {:>7}  {:>7}  {:>7}  {:>8}  {:>6}"
    columns = ["round", "generator", "requests/s", "CPU µs", "user µs", "sys µs", "its core"]
    print(row.format(*columns, "server"))
    rounds, turn = [], 0
    while len(rounds) < ROUNDS and turn < 3 * ROUNDS:
        turn += 1
        seen, alone = {}, True
        for name, run in generators.items():
            before = target.cpu_seconds()
            requests, rate, usage = run()
            served = (target.cpu_seconds() - before) * rate / requests
            user, system = (1e6 * t / requests for t in (usage.ru_utime, usage.ru_stime))
            cpu = user + system
            used = cpu / 1e6 * rate
            seen[name] = (rate, cpu)
            # One of the two is always at its limit, unless something else had their cores.
            alone = alone and max(used, served) > 0.9
            figures = [f"{figure:.2f}" for figure in (cpu, user, system)]
            figures += [f"{share:.0%}" for share in (used, served)]
            print(row.format(turn, name, f"{rate:,.0f}", *figures), flush=True)
        if alone:
            rounds.append(seen)
        else:
            print("       something else used these cores: this round does not count")
    return rounds


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
