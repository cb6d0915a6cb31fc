"""What the benchmarks of this folder share: running a generator, and what a run of it used."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROUNDS = int(os.environ.get("ROUNDS", "3"))
HERE = Path(__file__).resolve().parent
# Nothing reports to anybody.
QUIET = {"ARTILLERY_DISABLE_TELEMETRY": "1", "K6_NO_USAGE_REPORT": "true"}


def seconds_each(default):
    return int(os.environ.get("SECONDS_EACH", default))


def pinned(core, command):
    return ["taskset", "-c", str(core), *map(str, command)]


def cpu_seconds(pid):
    """User and system time that a living process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(command):
    """Runs a generator to its end: its output, and the user and system time that it took."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **QUIET}
        )
        # Not `wait`: the usage of this one process is needed.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return said, usage


def run_throng(binary, plan, target, core, *options):
    """A run of throng without a failure: its summary.json, and the usage of its process."""
    with tempfile.TemporaryDirectory() as out:
        command = [binary, "run", plan, "--target", target, "--seed", "1", "--out", out, *options]
        said, usage = measure(pinned(core, command))
        summary = json.loads((Path(out) / "summary.json").read_text())
    if summary["totals"]["failures"] or summary["exceptions"]:
        sys.exit(f"throng met failures:\n{said}")
    return summary, usage


class Server:
    """The server of this folder on a core of its own; ends with the `with` block."""

    def __init__(self, binary, core):
        self.process = subprocess.Popen(
            pinned(core, [binary]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.target = f"http://{self.process.stdout.readline().strip()}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Closing its input ends the server.
        self.process.stdin.close()
        self.process.wait()

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)


class Sleepers:
    """How late somebody who sleeps on either core is woken, for as long as the `with` block lasts.

    That is what the work of others costs a generator or a server which does little itself.
    """

    REST = 0.01

    def __enter__(self):
        self.late, self.ended = [], threading.Event()
        self.threads = [threading.Thread(target=self.sleep, args=(core,)) for core in (0, 1)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.late_ms = 1000 * statistics.mean(self.late)

    def sleep(self, core):
        os.sched_setaffinity(0, {core})  # of this thread alone
        while not self.ended.is_set():
            due = time.monotonic() + self.REST
            time.sleep(self.REST)
            self.late.append(time.monotonic() - due)
