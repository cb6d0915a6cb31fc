"""Measures Throng and wrk in turns against the server of this folder, and prints the ratios.

    python3 benches/wrk.py THRONG SERVER

Each generator runs on core 0, the server on core 1. benches/wrk.sh builds both and calls this.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS_EACH", "8"))
USERS = 64
HERE = Path(__file__).resolve().parent


def pinned(core, command):
    return ["taskset", "-c", str(core), *map(str, command)]


def cpu_seconds(pid):
    """User and system time that a living process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(command):
    """Runs a generator to its end: its output, and the user and system time that it took."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        # Not `wait`: the usage of this one process is needed.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return said, usage


def wrk(address):
    command = ["wrk", "-t1", f"-c{USERS}", f"-d{SECONDS}s", f"http://{address}/"]
    said, usage = measure(pinned(0, command))
    if "Socket errors" in said or "Non-2xx" in said:
        sys.exit(f"wrk met errors:\n{said}")
    requests = int(re.search(r"(\d+) requests in", said)[1])
    return requests, float(re.search(r"Requests/sec: +([\d.]+)", said)[1]), usage


def throng(binary, plan, address):
    with tempfile.TemporaryDirectory() as out:
        command = [binary, "run", HERE / plan, "--target", f"http://{address}", "--workers", "1"]
        command += ["-t", f"{SECONDS}s", "--seed", "1", "--out", out]
        said, usage = measure(pinned(0, command))
        summary = json.loads((Path(out) / "summary.json").read_text())
    if summary["totals"]["failures"] or summary["exceptions"]:
        sys.exit(f"throng met failures:\n{said}")
    requests = summary["totals"]["requests"]
    return requests, requests / summary["run"]["duration_s"], usage


def main(binary, server):
    target = subprocess.Popen(
        pinned(1, [server]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    address = target.stdout.readline().strip()
    generators = {
        "wrk": lambda: wrk(address),
        "throng: get": lambda: throng(binary, "get.yaml", address),
        "throng: step": lambda: throng(binary, "step.yaml", address),
    }
    row = "{:>5}  {:<12}  {:>10}  {:>7}  {:>7}  {:>7}  {:>8}  {:>6}"
    columns = ["round", "generator", "requests/s", "CPU µs", "user µs", "sys µs", "its core"]
    print(row.format(*columns, "server"))
    rounds, turn = [], 0
    while len(rounds) < ROUNDS and turn < 3 * ROUNDS:
        turn += 1
        seen, alone = {}, True
        for name, run in generators.items():
            before = cpu_seconds(target.pid)
            requests, rate, usage = run()
            served = (cpu_seconds(target.pid) - before) * rate / requests
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
    # Closing its input ends the server.
    target.stdin.close()
    target.wait()
    if not rounds:
        sys.exit("no round counts: try again when the machine has less to do")
    print(f"\nmedian of the ratios of {len(rounds)} rounds   requests/s  CPU per request")
    for name in ["throng: get", "throng: step"]:
        rates, cpus = (
            statistics.median(seen[name][i] / seen["wrk"][i] for seen in rounds) for i in (0, 1)
        )
        print(f"{name + ' / wrk':<32}  {rates:>8.2f}  {cpus:>15.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
