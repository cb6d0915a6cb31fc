"""Measures how near searches come to a limit that is known.

    python3 benches/search.py THRONG

A server serves `C` requests a second, one after the other, and each has a way of 50 ms besides. Users that
pause for 1 s are `N = C (1 s + R)` where it is busy all the time (Little's law): the longest time is below
500 ms up to `N = 1.5 C`. Of a rate it keeps up with `C`. benches/search.sh builds Throng and calls this.
"""

import asyncio
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = int(os.environ.get("RUNS", "20"))
JOBS = int(os.environ.get("JOBS", "5"))
KINDS = [os.environ["OF"]] if "OF" in os.environ else ["users", "rate"]
WITHIN = 0.05
WAY_S = 0.05
PLAN = """
users: {{ One: {{ wait: 1s, tasks: {{ home: {{ get: / }} }} }} }}
evidence: off
profiles:
  users: {{ search: {{ of: users, from: 20, to: 500, hold: 8s, settle: 4s, must: [p95 < 500ms, error_rate < 1%] }} }}
  rate: {{ search: {{ of: rate, from: 10/s, to: 500/s, hold: 8s, settle: 4s, must: [p95 < 200ms, error_rate < 1%] }} }}
profile: {of}
"""


async def serve(capacity):
    loop = asyncio.get_running_loop()
    free = loop.time()

    async def answer(reader, writer):
        nonlocal free
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                free = max(loop.time(), free) + 1 / capacity
                await asyncio.sleep(free + WAY_S - loop.time())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def searched(throng, of, seed):
    """The limit, and what the search says of it."""
    capacity = random.Random(f"{of} {seed}").randint(40, 120)
    limit = capacity * 1.5 if of == "users" else capacity
    command = [sys.executable, "-B", __file__, "--serve", str(capacity)]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            port = server.stdout.readline().strip()
            plan = Path(folder, "search.yaml")
            plan.write_text(PLAN.format(of=of))
            options = ["--target", f"http://127.0.0.1:{port}", "--out", f"{folder}/out"]
            options += ["--quiet", "--workers", "1", "--seed", str(seed)]
            subprocess.run([throng, "run", plan, *options], capture_output=True)
        finally:
            server.kill()
            server.wait()
        return limit, json.loads(Path(folder, "out/summary.json").read_text())


def main(throng):
    good = True
    for of in KINDS:
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            runs = [pool.submit(searched, throng, of, seed) for seed in range(RUNS)]
            near = 0
            for run in runs:
                limit, summary = run.result()
                search = summary["search"]
                answer = search["answer"]
                off = (answer["level"] or 0) / limit - 1
                near += answer["state"] == "found" and abs(off) <= WITHIN
                print(
                    f"{of:5}  limit {limit:6.1f}  found {answer['level'] or 0:6.1f} ({100 * off:+5.1f} %)"
                    f"  {len(search['path']):2} looks in {summary['run']['duration_s']:3.0f} s"
                    f"  {summary['validity']['state']}  {answer['state']}: {answer['sentence']}",
                    flush=True,
                )
        print(f"{of}: {near} of {RUNS} within {100 * WITHIN:.0f} %", flush=True)
        good &= near >= RUNS * 19 / 20
    sys.exit(not good)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        asyncio.run(serve(float(sys.argv[2])))
    main(sys.argv[1])
