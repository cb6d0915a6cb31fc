"""Measures fixed delays against the stamps of the server that makes them.

    python3 benches/delays.py THRONG SERVER OHA

The generator has core 0, the server core 1. benches/delays.sh installs and builds all of it.
"""

import json
import os
import sys

from measuring import HERE, Reaches, Server, measure, percentile, pinned, run_throng, seconds_each

SECONDS = seconds_each("10")
# Users by the delay in ms: as many as make enough requests, and not so many that the server has no time.
USERS = {1: 2, 5: 5, 20: 10, 100: 50, 500: 200}
QUANTILES = {"p50": 0.5, "p99": 0.99}


def of_throng(throng, target, users):
    # They connect within the first second, which is left out: the server does not see what that takes.
    options = ["--workers", "1", "-u", str(users), "--ramp", "500ms", "-t", f"{SECONDS + 2}s"]
    summary, _ = run_throng(throng, HERE / "delays.yaml", target, 0, *options)
    return [summary["totals"][f"response_ms_{name}"] for name in QUANTILES]


def of_oha(oha, target, users):
    command = [oha, "--no-tui", "-z", f"{SECONDS}s", "-c", users, "--output-format", "json"]
    said, _ = measure(pinned(0, [*command, f"{target}/"]))
    seen = json.loads(said)["latencyPercentiles"]
    return [1000 * seen[name] for name in QUANTILES]


def main(throng, server, oha):
    generators = {"throng": lambda *load: of_throng(throng, *load)}
    if os.path.exists(oha):
        generators["oha"] = lambda *load: of_oha(oha, *load)
    row = "{:>5}  {:>5}  {:<9}  {:>8}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}"
    print(row.format("delay", "users", "generator", "requests", "server 50", "it says", "off",
                     "server 99", "it says", "off"))
    asked = []
    for delay, users in USERS.items():
        with Server(server, 1, "--stamps", f"--delay-ms={delay}") as target:
            for name, run in generators.items():
                target.reset()
                said = run(target.target, users)
                service = target.log().service()
                true = [percentile(service, quantile) for quantile in QUANTILES.values()]
                off = [one - other for one, other in zip(said, true)]
                figures = zip(true, said, off)
                figures = [f"{figure:.3f}" for three in figures for figure in three]
                print(row.format(delay, users, name, len(service), *figures), flush=True)
                if name == "throng":
                    for quantile, least, part, it in zip(QUANTILES, (0.2, 1), (0.005, 0.01), (0, 1)):
                        most = max(least, part * true[it])
                        words = f"{delay} ms: {quantile} is {off[it]:+.3f} ms off, at most {most:.2f}"
                        asked.append((abs(off[it]) <= most, words))
    print()
    reaches = Reaches()
    for held, words in asked:
        reaches.ask(held, words)
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
