"""Measures how the memory of a long run grows.

    python3 benches/soak.py THRONG SERVER

benches/soak.sh builds both and calls this.
"""

import os
import sys
import time

from measuring import HERE, Reaches, Running, Server

SECONDS = int(os.environ.get("SECONDS_ALL", "1800"))
FIRST = int(os.environ.get("SECONDS_FIRST", "300"))
RATE = 2000
LIMIT_KIB = 1024
EVERY = 5


def slope(points):
    """KiB in ten minutes, by least squares."""
    count = len(points)
    mean_x, mean_y = (sum(values) / count for values in zip(*points))
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return over / sum((x - mean_x) ** 2 for x, _ in points) * 600


def main(throng, server):
    points, shown = [], 0
    with Server(server, 1) as target:
        options = ["--target", target.target, "--rate", f"{RATE}/s", "-t", f"{SECONDS}s"]
        with Running(throng, HERE / "get.yaml", 0, "--workers", "1", *options) as run:
            begun = time.monotonic()
            while run.is_alive():
                now = time.monotonic() - begun
                seen = run.memory()
                if seen and 1 < now < SECONDS - 1:
                    points.append((now, seen[0] / 1024))
                    if now >= shown:
                        print(f"{now / 60:5.1f} min  {seen[0] / 2**20:6.2f} MiB", flush=True)
                        shown += 60
                time.sleep(EVERY)
            summary = run.summary()
    totals = summary["totals"]
    after = [point for point in points if point[0] >= FIRST]
    grown = slope(after)
    print(f"{totals['requests']:,} requests, {totals['failures']:,} failed; from minute "
          f"{FIRST / 60:.0f} on {after[0][1] / 1024:.2f} MiB to {after[-1][1] / 1024:.2f} MiB")
    print(f"at most {max(summary['history']['users']):,.0f} users at once, p99 "
          f"{totals['response_ms_p99']:.2f} ms, at most {totals['response_ms_max']:,.2f} ms")
    for one in summary["failures"]:
        print(f"{one['count']:,} times: {one['error']}")
    reaches = Reaches()
    reaches.ask(totals["requests"] == RATE * SECONDS and not totals["failures"],
                f"every one of {RATE * SECONDS:,} requests was sent and answered")
    reaches.ask(grown <= LIMIT_KIB, f"{grown / 1024:.2f} MiB more in ten minutes, at most 1")
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
