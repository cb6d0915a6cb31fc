"""Measures the time to the first request, and the memory of users that wait, of Throng and Locust.

    python3 benches/startup.py THRONG LOCUST SERVER

benches/startup.sh installs and builds all of it and calls this.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import HERE, QUIET, Server, memory, raise_descriptors

PLANS = HERE.parent / "plans"
STARTS = int(os.environ.get("STARTS", "20"))
STARTS_OF_LOCUST = 5
FIRST_REQUEST_MS = 20.0

USERS, SECONDS = 10_000, 20
# 1,000 users a second; the last one has come after half of the time.
RATE = USERS * 2 // SECONDS
USERS_OF_LOCUST, RATE_OF_LOCUST, SECONDS_OF_LOCUST = 500, 100, 12


def spawn(command, folder):
    with (Path(folder) / "said").open("w") as said:
        command = [str(part) for part in command]
        return subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **QUIET})


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def first_request_ms(make_command):
    """From just before the process is made to the first byte of its first request."""
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, tempfile.TemporaryDirectory() as folder:
        listener.settimeout(20)
        target = "http://127.0.0.1:{}".format(listener.getsockname()[1])
        command = make_command(target, folder)
        begun = time.monotonic_ns()
        process = spawn(command, folder)
        try:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(20)
                    # A connection without a request is a look whether anybody is there.
                    if connection.recv(1):
                        return (time.monotonic_ns() - begun) / 1e6
        except TimeoutError:
            said = (Path(folder) / "said").read_text()
            sys.exit(f"no request came of {' '.join(map(str, command))}:\n{said}")
        finally:
            end(process)


def end_ms(command):
    """From just before the process is made to its end."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic_ns()
        process = spawn(command, folder)
        process.wait()
        return (time.monotonic_ns() - begun) / 1e6


def starts(throng, locust):
    """Prints the time to the first request; whether Throng's is short enough."""
    def throng_run(plan):
        return lambda target, out: [throng, "run", PLANS / plan, "--target", target, "--out", out]

    def locust_run(target, _):
        command = [locust, "-f", HERE / "locustfile.py", "--headless", "--host", target]
        return [*command, "-u", 20, "-r", 5, "-t", "15s", "TodoUser"]

    quickstart, todo = throng_run("quickstart.yaml"), throng_run("todo.yaml")
    measures = {
        "throng, plans/quickstart.yaml": (STARTS, lambda: first_request_ms(quickstart)),
        "throng, plans/todo.yaml": (STARTS, lambda: first_request_ms(todo)),
        "locust, benches/locustfile.py": (STARTS_OF_LOCUST, lambda: first_request_ms(locust_run)),
        "throng --version, to its end": (STARTS, lambda: end_ms([throng, "--version"])),
        "locust --version, to its end": (STARTS_OF_LOCUST, lambda: end_ms([locust, "--version"])),
    }
    row = "{:<30}  {:>6}  {:>8}  {:>8}  {:>8}"
    print(row.format("start to first request", "starts", "min ms", "p50 ms", "max ms"))
    held = True
    for name, (count, measure) in measures.items():
        times = [measure() for _ in range(count)]
        middle = statistics.median(times)
        figures = [f"{figure:.1f}" for figure in (min(times), middle, max(times))]
        print(row.format(name, len(times), *figures), flush=True)
        held = held and not (name.startswith("throng, ") and middle >= FIRST_REQUEST_MS)
    print(f"{'ok  ' if held else 'FAIL'} first request within {FIRST_REQUEST_MS:.0f} ms (p50)\n")
    return held


def idle(users, seconds, server, make_command, *options):
    """Bytes of a run's process: when all its users wait, and at most until its end."""
    with Server(server, 1, *options) as target, tempfile.TemporaryDirectory() as folder:
        process = spawn(make_command(target.target, folder), folder)
        begun = time.monotonic()
        waiting, peak, connections = 0, 0, 0
        try:
            while process.poll() is None:
                if time.monotonic() - begun > seconds + 60:
                    sys.exit("a run does not end")
                try:
                    now, peak = memory(process.pid)
                    # A second before the end every user waits; after it, the report is made.
                    if time.monotonic() - begun < seconds - 1:
                        waiting = now
                        connections = len(os.listdir(f"/proc/{target.process.pid}/fd"))
                except (TypeError, OSError):
                    pass  # it is just about to end
                time.sleep(0.02 if time.monotonic() - begun > seconds - 1 else 0.2)
        finally:
            end(process)
        said = (Path(folder) / "said").read_text()
    if process.returncode != 0 or connections < users:
        sys.exit(f"{connections} connections, exit code {process.returncode}:\n{said}")
    return waiting, peak


def weights(throng, locust, server):
    def throng_run(users, rate, seconds):
        return lambda target, out: [
            *(throng, "run", HERE / "idle.yaml", "--target", target, "--out", out),
            *("-u", users, "-r", rate, "-t", f"{seconds}s", "-s", "1s"),
        ]

    def locust_run(kind, users, rate, seconds):
        return lambda target, _: [
            *(locust, "-f", HERE / "idle_locustfile.py", "--headless", "--host", target),
            *("-u", users, "-r", rate, "-t", f"{seconds}s", "--only-summary", kind),
        ]

    row = "{:<22}  {:>6}  {:>12}  {:>16}  {:>14}  {:>16}"
    print(row.format("users that wait", "users", "VmRSS MiB", "bytes per user", "VmHWM MiB",
                     "bytes per user"))
    cases = [("throng", USERS, RATE, SECONDS, lambda *load: throng_run(*load))]
    for kind, name in [("Fast", "locust, FastHttpUser"), ("Usual", "locust, HttpUser")]:
        load = (USERS_OF_LOCUST, RATE_OF_LOCUST, SECONDS_OF_LOCUST)
        cases.append((name, *load, lambda *load, kind=kind: locust_run(kind, *load)))
    for name, users, rate, seconds, run in cases:
        one = idle(1, seconds, server, run(1, 1, seconds))
        many = idle(users, seconds, server, run(users, rate, seconds))
        print(row.format(name, 1, f"{one[0] / 2**20:.1f}", "", f"{one[1] / 2**20:.1f}", ""))
        each = [(after - before) / (users - 1) for before, after in zip(one, many)]
        print(row.format(name, f"{users:,}", f"{many[0] / 2**20:.1f}", f"{each[0]:,.0f}",
                         f"{many[1] / 2**20:.1f}", f"{each[1]:,.0f}"), flush=True)


def main(throng, locust, server):
    raise_descriptors(USERS + 200)
    held = starts(throng, locust)
    weights(throng, locust, server)
    return not held


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
