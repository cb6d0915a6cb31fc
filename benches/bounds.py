"""Measures what bounds the memory of a run, whatever its plan does.

    python3 benches/bounds.py THRONG SERVER

Throng has both cores, its servers core 1. benches/bounds.sh builds both and calls this.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from measuring import Reaches, Running, Server, raise_descriptors

URLS = int(os.environ.get("URLS", "1000000"))
NAMES, USERS = 1000, 2000
SECONDS = 20
MOST_MIB, MOST_STALL_MS = 300, 20
PACE_MS = 5

URLS_PLAN = """
target: {target}
users:
  Reader:
    tasks:
      get: {{ get: "/item/{{{{ counter('item') }}}}" }}
"""

# Texts are counted as the plan has them, so that different ones are different steps, of which a plan may
# have only so many. Statuses are the server's.
ERRORS_PLAN = """
target: {target}
users:
  Reader:
    wait: 1ms
    tasks:
{tasks}
"""
# How it fails: the task, how many of them, the different errors of each, and the server's option.
ERRORS = {
    "statuses": ("      t{n}: {{ get: /{n} }}\n", 50, 200, "--failing=1"),
    "rules": ("      t{n}: {{ get: /, expect: {{ contains: wish {n} }} }}\n", 6000, 1, "--stamps"),
    "exceptions": ("      t{n}: {{ steps: {{ fail: mistake {n} }} }}\n", 8000, 1, "--stamps"),
}
# So many times each is met, drawn at random.
TIMES = 20

NAMES_PLAN = """
target: {target}
users:
  Ticker:
    fixed: 2
    target: {ticks}
    wait: {{ pace: {pace}ms }}
    tasks: {{ tick: {{ get: /tick, timeout: 5s }} }}
  Reader:
    connections: new
    tasks:
{tasks}
"""


def run(throng, plan, *options):
    """Bytes at most, and the summary."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bounds.yaml"
        path.write_text(plan)
        with Running(throng, path, "0,1", "--workers", "2", *options) as running:
            peak = 0
            while running.is_alive():
                peak = max([peak, *(running.memory() or [])])
                time.sleep(0.02)
            return peak, running.summary()


def weigh(reaches, name, peak):
    mib = peak / 2**20
    reaches.ask(mib <= MOST_MIB, f"{name}: {mib:.0f} MiB at most resident, at most {MOST_MIB}")


def urls(throng, server, reaches):
    with Server(server, 1) as target:
        plan = URLS_PLAN.format(target=target.target)
        peak, summary = run(throng, plan, "-u", "64", "-t", "120s", "-i", str(URLS))
    weigh(reaches, f"{URLS:,} URLs", peak)
    rows = [(row["name"], row["requests"]) for row in summary["names"]]
    reaches.ask(len(rows) == 1 and rows[0][1] == URLS, f"{URLS:,} URLs: they are one row, {rows}")


def errors(throng, server, reaches):
    for name, (task, tasks, different, option) in ERRORS.items():
        with Server(server, 1, option) as target:
            written = "".join(task.format(n=n) for n in range(tasks))
            plan = ERRORS_PLAN.format(target=target.target, tasks=written)
            count = tasks * different * TIMES
            peak, summary = run(throng, plan, "-u", "64", "-t", "60s", "-i", str(count))
        kind, text = ("exceptions", "message") if name == "exceptions" else ("failures", "error")
        seen = [(one[text], one["count"]) for one in summary[kind]]
        others = sum(count for said, count in seen if "other" in said)
        told = sum(count for _, count in seen)
        name = f"{tasks * different:,} different {name}"
        weigh(reaches, name, peak)
        reaches.ask(told == count and (others or len(seen) == tasks * different),
                    f"{name}: {told:,} of {count:,} counted, {len(seen):,} rows, {others:,} as others")


def stalls(log):
    """Of each connection: the longest time without a request, less the pace, and when it ended."""
    came = {}
    for at, connection in sorted(zip(log.came, log.connections)):
        came.setdefault(connection, []).append(at)
    for ticks in came.values():
        if len(ticks) > 100:
            yield max((after - before - PACE_MS, after) for before, after in zip(ticks, ticks[1:]))


def names(throng, server, reaches):
    tasks = "\n".join(f"      t{n}: {{ get: /name/{n} }}" for n in range(NAMES))
    with (
        Server(server, 1, "--delay-ms=1..1000", "--failing=3") as target,
        Server(server, 1, "--stamps") as ticks,
    ):
        plan = NAMES_PLAN.format(target=target.target, ticks=ticks.target, pace=PACE_MS, tasks=tasks)
        peak, summary = run(throng, plan, "-u", str(USERS), "--ramp", "2s", "-t", f"{SECONDS}s")
        longest = list(stalls(ticks.log()))
    weigh(reaches, f"{NAMES:,} names on 2 workers", peak)
    rows = [row for row in summary["names"] if row["name"] != "/tick"]
    full = [row for row in rows if row["failures"] and row["requests"] > row["failures"]
            and row["connect_ms_p95"] is not None and row["first_byte_ms_p95"] is not None]
    print(f"     {summary['totals']['requests']:,} requests in {SECONDS} s, {len(full)} of {len(rows)} "
          "names with every kind of time")
    worst = max(stall for stall, _ in longest)
    shown = ", ".join(f"{stall:.1f} ms" for stall, _ in longest)
    reaches.ask(len(longest) == 2 and worst <= MOST_STALL_MS,
                f"{NAMES:,} names: no worker's beat stood still for longer than {shown}, "
                f"at most {MOST_STALL_MS} ms")
    own = summary.get("generator", {}).get("stall_ms_max")
    if own is not None:
        reaches.ask(own <= MOST_STALL_MS, f"{NAMES:,} names: a stall of {own} ms as it says itself")


def main(throng, server):
    raise_descriptors(USERS + 1000)
    reaches = Reaches()
    for case in (urls, errors, names):
        case(throng, server, reaches)
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
