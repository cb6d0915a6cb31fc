"""Measures whether arrivals are sent when they are due, by the stamps of the server.

    python3 benches/open.py THRONG SERVER OHA

The generator has core 0, the server core 1. benches/open.sh installs and builds all of it.
"""

import os
import sys

from measuring import HERE, Reaches, Server, measure, percentile, pinned, run_throng, seconds_each

SECONDS = seconds_each("60")
# Arrivals a second, and how late the 99th of a hundred may be, in ms.
REACH = {1000: 0.5, 10_000: 1.0}


def lateness(log, rate):
    """How much later each arrival came than its number says, in ms, when the earliest was in time."""
    late = [came - 1000 * number / rate for number, came in enumerate(sorted(log.came))]
    first = min(late)
    return sorted(one - first for one in late)


def shown(log, rate):
    late = lateness(log, rate)
    return [percentile(late, quantile) for quantile in (0.5, 0.99, 0.999, 1)]


def main(throng, server, oha):
    asked = []
    row = "{:<7}  {:>7}  {:>9}  {:>9}  {:>9}  {:>8}  {:>8}  {:>8}  {:>8}"
    print(row.format("", "rate/s", "due", "it says", "server", "late p50", "p99", "p99.9", "max ms"))
    for rate, most in REACH.items():
        with Server(server, 1, "--stamps") as target:
            options = ["--workers", "1", "--rate", f"{rate}/s", "-t", f"{SECONDS}s"]
            summary, _ = run_throng(throng, HERE / "get.yaml", target.target, 0, *options)
            log = target.log()
            due, sent, seen = rate * SECONDS, summary["totals"]["requests"], log.received
            late = shown(log, rate)
            figures = [f"{figure:.3f}" for figure in late]
            counts = [f"{count:,}" for count in (rate, due, sent, log.received)]
            print(row.format("throng", *counts, *figures), flush=True)
            # What Throng itself says of it, where it does.
            own = summary["run"].get("beat_late_ms_p99")
            print(f"         p99 of responses {summary['totals']['response_ms_p99']} ms, of its own "
                  f"lateness {own} ms")
            target.reset()
            if os.path.exists(oha):
                command = [oha, "--no-tui", "-z", f"{SECONDS}s", "-q", rate, "-c", 64]
                measure(pinned(0, [*command, "--latency-correction", f"{target.target}/"]))
                log = target.log()
                counts = [f"{rate:,}", f"{due:,}", "", f"{log.received:,}"]
                figures = [f"{figure:.3f}" for figure in shown(log, rate)]
                print(row.format("oha", *counts, *figures), flush=True)
        asked.append((due == sent == seen, f"{rate:,}/s: due {due:,}, sent {sent:,}, seen {seen:,}"))
        asked.append((late[1] <= most, f"{rate:,}/s: p99 {late[1]:.3f} ms late, at most {most}"))
        if own is not None:
            asked.append((own <= most, f"{rate:,}/s: p99 {own:.3f} ms late as it says itself"))
    print()
    reaches = Reaches()
    for held, words in asked:
        reaches.ask(held, words)
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
