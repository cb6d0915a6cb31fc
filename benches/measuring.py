"""What the benchmarks of this folder share: running a generator, and what a run of it used."""

import array
import json
import math
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
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


def measure_together(commands):
    """Runs generators side by side: the usage of each."""
    processes = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    usages = []
    for process, command in zip(processes, commands):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}")
        usages.append(usage)
    return usages


def requests_of(out):
    return json.loads((Path(out) / "summary.json").read_text())["totals"]["requests"]


class Running:
    """A run of throng beside which something is watched; ends, at the latest, with the `with` block."""

    def __init__(self, binary, plan, core, *options, seed=1):
        self.folder = tempfile.TemporaryDirectory()
        command = [binary, "run", plan, "--seed", str(seed), "--out", self.folder.name, *options]
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            pinned(core, command), stdout=self.output, stderr=subprocess.STDOUT
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.output.close()
        self.folder.cleanup()

    def is_alive(self):
        return self.process.poll() is None

    def memory(self):
        """Bytes: resident now, and at most so far. None when it is just about to end."""
        return memory(self.process.pid)

    def summary(self):
        """Its summary.json, once it has ended by itself."""
        if self.process.wait() not in (0, 1):
            self.output.seek(0)
            sys.exit(f"throng ended with {self.process.returncode}:\n{self.output.read()[-2000:]}")
        return json.loads((Path(self.folder.name) / "summary.json").read_text())


def memory(pid):
    """Bytes of a process: resident now, and at most so far. None when it is just about to end."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return [1024 * int(re.search(rf"{field}:\s+(\d+) kB", status)[1])
                for field in ("VmRSS", "VmHWM")]
    except (TypeError, OSError):
        return None


def raise_descriptors(needed):
    """The limit of this process and its children, so that so many descriptors may be open in each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < needed:
        sys.exit(f"{needed} file descriptors are needed, and {hard} are allowed here (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))


def percentile(ordered, quantile):
    """The value that the share `quantile` of all does not pass, as Throng's histograms have it."""
    return ordered[max(math.ceil(quantile * len(ordered)), 1) - 1]


class Reaches:
    """What is asked of figures, and whether it was reached."""

    def __init__(self):
        self.missed = []

    def ask(self, held, words):
        print(f"{'ok  ' if held else 'MISS'} {words}", flush=True)
        if not held:
            self.missed.append(words)

    def exit_code(self):
        return int(bool(self.missed))


class Log:
    """What the server of this folder has seen, see serve in server/timed.rs. Times are in ms."""

    def __init__(self, raw):
        numbers = array.array("Q", raw)
        self.begun, self.received, self.answered = numbers[0] / 1e6, numbers[1], numbers[2]
        self.came = [ns / 1e6 for ns in numbers[3::3]]
        self.left = [ns / 1e6 for ns in numbers[4::3]]
        self.connections = list(numbers[5::3])

    def service(self):
        return sorted(left - came for came, left in zip(self.came, self.left))


class Server:
    """The server of this folder on a core of its own; ends with the `with` block."""

    def __init__(self, binary, core, *options):
        self.process = subprocess.Popen(
            pinned(core, [binary, *options]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.target = f"http://{self.process.stdout.readline().strip()}"

    def log(self):
        with urllib.request.urlopen(f"{self.target}/__log") as answer:
            return Log(answer.read())

    def reset(self):
        urllib.request.urlopen(f"{self.target}/__reset").close()

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
