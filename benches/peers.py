"""Measures Throng and other load generators in turns against the server of this folder.

    python3 benches/peers.py THRONG SERVER [NAME=PATH]…

NAME is wrk, ab, oha, k6 or locust. Each asks for the same thing over 64 kept connections, as fast
as it can, on core 0; the server has core 1. benches/peers.sh installs and builds all of it and
calls this.
"""

import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

from measuring import HERE, ROUNDS, Server, measure, pinned, run_throng, seconds_each

SECONDS = seconds_each("8")
USERS = 64
# Less than with wrk alone: the differences here are larger.
ALONE = 0.8
TIMES = ["--vus", USERS, "--duration", f"{SECONDS}s"]


def throng(binary, target, _):
    options = ["--workers", "1", "-t", f"{SECONDS}s"]
    summary, usage = run_throng(binary, HERE / "get.yaml", target, 0, *options)
    return summary["totals"]["requests"], usage


def wrk(binary, target, _):
    said, usage = measure(pinned(0, [binary, "-t1", f"-c{USERS}", f"-d{SECONDS}s", f"{target}/"]))
    failed = "Socket errors" in said or "Non-2xx" in said
    return counted(said, r"(\d+) requests in", failed), usage


def ab(binary, target, _):
    # The number comes after the time, which sets it to 50,000.
    command = [binary, "-q", "-k", "-t", SECONDS, "-n", 500_000 * SECONDS, "-c", USERS]
    said, usage = measure(pinned(0, [*command, f"{target}/"]))
    # Bodies here are all of one length; any other is a failure to it.
    failed = "Non-2xx" in said or not re.search(r"Failed requests: +0\n", said)
    return counted(said, r"Complete requests: +(\d+)", failed), usage


def oha(binary, target, _):
    command = [binary, "--no-tui", "-z", f"{SECONDS}s", "-c", USERS, "--output-format", "json"]
    said, usage = measure(pinned(0, [*command, f"{target}/"]))
    summary = json.loads(said)
    # Those under way at the end are cut off, and no failure.
    cut = summary["errorDistribution"].pop("aborted due to deadline", 0)
    failed = summary["errorDistribution"] or cut > USERS
    statuses = summary["statusCodeDistribution"]
    if failed or set(statuses) != {"200"}:
        sys.exit(f"oha met failures:\n{said}")
    return statuses["200"], usage


def k6(binary, target, folder):
    command = [binary, "run", "--quiet", "--no-usage-report", *TIMES, "-e", f"TARGET={target}"]
    command += ["--summary-export", folder / "k6.json", HERE / "get.js"]
    said, usage = measure(pinned(0, command))
    metrics = json.loads((folder / "k6.json").read_text())["metrics"]
    # A rate of failures; k6 calls what it counts "passes".
    if metrics["http_req_failed"]["passes"]:
        sys.exit(f"k6 met failures:\n{said}")
    return int(metrics["http_reqs"]["count"]), usage


def locust(kind):
    def run(binary, target, folder):
        command = [binary, "-f", HERE / "get_locustfile.py", "--headless", "--host", target]
        command += ["-u", USERS, "-r", USERS, "-t", f"{SECONDS}s", "--only-summary"]
        said, usage = measure(pinned(0, [*command, "--json-file", folder / kind, kind]))
        (entry,) = json.loads((folder / f"{kind}.json").read_text())
        if entry["num_failures"]:
            sys.exit(f"locust met failures:\n{said}")
        return entry["num_requests"], usage

    return run


def counted(said, pattern, failed):
    found = re.search(pattern, said)
    if failed or not found:
        sys.exit(f"a generator met failures:\n{said}")
    return int(found[1])


# By the name of the program: what is shown, and how it is run.
PEERS = {
    "wrk": {"wrk": wrk},
    "ab": {"ab": ab},
    "oha": {"oha": oha},
    "k6": {"k6": k6},
    "locust": {"locust FastHttpUser": locust("Fast"), "locust HttpUser": locust("Usual")},
}


def main(binary, server, *tools):
    generators = {"throng": (throng, binary)}
    for tool in tools:
        name, _, path = tool.partition("=")
        generators |= {shown: (run, path) for shown, run in PEERS[name].items()}
    with Server(server, 1) as target:
        rounds = measured(generators, target)
    return compare(generators, rounds)


def measured(generators, target):
    """The figures of each round by generator; None where others used the two cores."""
    row = "{:>5}  {:<20}  {:>10}  {:>8}  {:>7}  {:>7}  {:>8}  {:>6}  {}"
    columns = ["round", "generator", "requests/s", "CPU µs", "user µs", "sys µs", "its core"]
    print(row.format(*columns, "server", ""))
    rounds, turn, whole = [], 0, dict.fromkeys(generators, 0)
    while min(whole.values()) < ROUNDS and turn < 2 * ROUNDS:
        turn += 1
        seen = {}
        for name, (run, path) in generators.items():
            before = target.cpu_seconds()
            with tempfile.TemporaryDirectory() as folder:
                # A generator that ends by itself says how long it took.
                requests, usage, *took = run(path, target.target, Path(folder))
            if not requests:
                sys.exit(f"{name} counted no request")
            took = took[0] if took else SECONDS
            served = (target.cpu_seconds() - before) / took
            rate = requests / took
            user, system = (1e6 * t / requests for t in (usage.ru_utime, usage.ru_stime))
            cpu = user + system
            used = cpu / 1e6 * rate
            # One of the two is always at its limit, unless something else had their cores.
            alone = max(used, served) > ALONE
            seen[name] = (rate, cpu, user, system) if alone else None
            figures = [f"{figure:.2f}" for figure in (cpu, user, system)]
            figures += [f"{share:.0%}" for share in (used, served)]
            note = "" if alone else "disturbed: does not count"
            print(row.format(turn, name, f"{rate:,.0f}", *figures, note).rstrip(), flush=True)
        if seen["throng"]:
            rounds.append(seen)
            for name in whole:
                whole[name] += seen[name] is not None
    return rounds


def compare(generators, rounds):
    """Prints medians, and medians of the ratios within one round; 1 when one has none."""
    row = "{:<20}  {:>6}  {:>10}  {:>8}  {:>7}  {:>7}  {:>12}  {:>14}"
    print("\n" + row.format("medians", "rounds", "requests/s", "CPU µs", "user µs", "sys µs",
                            "CPU / throng", "rate / throng"))
    without = []
    for name in generators:
        pairs = [(seen[name], seen["throng"]) for seen in rounds if seen[name]]
        if not pairs:
            without.append(name)
            continue
        rate, cpu, user, system = (
            statistics.median(figures) for figures in zip(*(its for its, _ in pairs))
        )
        rates, cpus = (statistics.median(its[i] / ours[i] for its, ours in pairs) for i in (0, 1))
        print(row.format(name, len(pairs), f"{rate:,.0f}", f"{cpu:.2f}", f"{user:.2f}",
                         f"{system:.2f}", f"{cpus:.2f}", f"{rates:.3f}"))
    if without:
        print(f"\nno round counts for {', '.join(without)}: try again on a quieter machine")
    return bool(without)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
