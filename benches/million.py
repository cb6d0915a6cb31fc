"""Measures the memory of very many users on a shared pool of connections.

    python3 benches/million.py THRONG SERVER LOCUST

Throng has both cores, the server core 1. benches/million.sh installs and builds all of it.
"""

import os
import sys
import time

import startup
from measuring import HERE, Reaches, Running, Server, cpu_seconds, raise_descriptors

USERS = int(os.environ.get("USERS", "1000000"))
RAMP, HOLD = 50, 40
MOST_MIB = 1024 * USERS / 1_000_000


def weight(throng, server, users):
    """VmRSS when all users are there, VmHWM, seconds of CPU, and the summary."""
    with Server(server, 1) as target:
        options = ["--target", target.target, "-u", str(users), "--ramp", f"{RAMP}s"]
        with Running(throng, HERE / "million.yaml", "0,1", *options, "-t", f"{RAMP + HOLD}s") as run:
            begun, seen, cpu = time.monotonic(), None, 0
            while run.is_alive():
                now = run.memory()
                if now and time.monotonic() - begun < RAMP + HOLD - 1:
                    seen, cpu = now, cpu_seconds(run.process.pid)
                elif now and seen:
                    seen[1] = max(now)
                time.sleep(0.2)
            return *seen, cpu, run.summary()


def of_locust(locust, server):
    """Bytes that a waiting user of Locust weighs, with its connection."""
    def command(users):
        return lambda target, _: [
            *(locust, "-f", HERE / "idle_locustfile.py", "--headless", "--host", target, "-u", users),
            *("-r", startup.RATE_OF_LOCUST, "-t", f"{startup.SECONDS_OF_LOCUST}s"),
            *("--only-summary", "Fast"),
        ]

    users, seconds = startup.USERS_OF_LOCUST, startup.SECONDS_OF_LOCUST
    one = startup.idle(1, seconds, server, command(1))
    many = startup.idle(users, seconds, server, command(users))
    return (many[0] - one[0]) / (users - 1)


def main(throng, server, locust):
    raise_descriptors(2000)
    resident, peak, cpu, summary = weight(throng, server, USERS)
    totals, run = summary["totals"], summary["run"]
    mib, each = resident / 2**20, resident / USERS
    print(f"{USERS:,} users: VmRSS {mib:,.0f} MiB, {each:,.0f} bytes each; VmHWM to the end "
          f"{peak / 2**20:,.0f} MiB")
    print(f"{totals['requests']:,} requests, {totals['requests_per_s']:,.0f}/s on the whole, "
          f"{cpu / (RAMP + HOLD):.2f} of a core; p50 {totals['response_ms_p50']} ms, "
          f"p99 {totals['response_ms_p99']} ms")
    if os.path.exists(locust):
        theirs = of_locust(locust, server)
        print(f"a waiting FastHttpUser of Locust: {theirs:,.0f} bytes, {theirs / each:.0f} times as much")
    reaches = Reaches()
    errors = totals["failures"] + sum(one["count"] for one in summary["exceptions"])
    reaches.ask(mib <= MOST_MIB, f"{mib:,.0f} MiB resident, at most {MOST_MIB:,.0f}")
    reaches.ask(run["users_peak"] == USERS and not errors and not run["not_started"],
                f"{run['users_peak']:,} users, {errors:,} errors")
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
