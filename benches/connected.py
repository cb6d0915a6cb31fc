"""Measures the memory of users that have a connection each and wait.

    python3 benches/connected.py THRONG SERVER

The server listens at four addresses, and there is a class of users for each: Linux looks long for a
free port when very many lead to one address. benches/connected.sh builds both and calls this.
"""

import os
import sys
from pathlib import Path

from measuring import Reaches, raise_descriptors
from startup import idle

USERS = int(os.environ.get("USERS", "15000"))
ADDRESSES, RATE, SECONDS = 4, 1000, 30
MOST = 1500


def plan(target, folder):
    port = target.rpartition(":")[2]
    classes = [
        f"  At{n}: {{ target: http://127.0.0.{n}:{port}, wait: 60s, tasks: {{ get: {{ get: / }} }} }}"
        for n in range(1, ADDRESSES + 1)
    ]
    path = Path(folder) / "connected.yaml"
    path.write_text("\n".join([f"target: {target}", "users:", *classes, ""]))
    return path


def main(throng, server):
    raise_descriptors(USERS + 500)

    def run(users):
        return lambda target, folder: [
            *(throng, "run", plan(target, folder), "--out", folder, "--workers", 1),
            *("-u", users, "-r", RATE, "-t", f"{SECONDS}s", "-s", "1s"),
        ]

    one, many = (
        idle(users, SECONDS, server, run(users), f"--addresses={ADDRESSES}") for users in (4, USERS)
    )
    for users, (resident, peak) in ((4, one), (USERS, many)):
        print(f"{users:>7,} users: VmRSS {resident / 2**20:.1f} MiB, VmHWM to the end "
              f"{peak / 2**20:.1f} MiB")
    each = (many[0] - one[0]) / (USERS - 4)
    reaches = Reaches()
    reaches.ask(each <= MOST, f"{each:,.0f} bytes a user with its connection, at most {MOST:,}")
    return reaches.exit_code()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
