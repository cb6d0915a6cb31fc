"""Runs the sample plans against the FastAPI app of this folder, and checks what comes out.

    python3 tests/peers/todo.py VENV THRONG

VENV holds the packages of requirements.txt. One line for each check; the last line is
`N passed, M failed`.
"""

import csv
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLANS = HERE.parent.parent / "plans"
SEED = "11"

# The tasks have the weights 3, 2, 1, 1, 1, and the last three are drawn only while the user has a
# todo: over 15 seconds that leaves them about 0.6 each (20,000 simulated runs).
SHARES = {
    "/todos/ [POST - Create]": 0.441,
    "/todos/ [GET - List]": 0.294,
    "/todos/{id} [GET - Single]": 0.0883,
    "/todos/{id} [PUT - Update]": 0.0883,
    "/todos/{id} [DELETE]": 0.0883,
}
# 141.8 requests on average in those simulated runs, with a standard deviation of 3.5.
REQUESTS = range(131, 154)

PERCENTILES = "50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%"
HEADERS = {
    "stats.csv": "Type,Name,Request Count,Failure Count,Median Response Time,"
    "Average Response Time,Min Response Time,Max Response Time,Average Content Size,Requests/s,"
    f"Failures/s,{PERCENTILES}",
    "stats_history.csv": f"Timestamp,User Count,Type,Name,Requests/s,Failures/s,{PERCENTILES},"
    "Total Request Count,Total Failure Count,Total Median Response Time,"
    "Total Average Response Time,Total Min Response Time,Total Max Response Time,"
    "Total Average Content Size",
    "failures.csv": "Method,Name,Error,Occurrences,First Seen,Last Seen",
    "exceptions.csv": "Count,Message,Traceback,Nodes",
}


class App:
    """The app on a free port; ends with the `with` block."""

    def __init__(self, venv, log):
        self.log = Path(log)
        command = [f"{venv}/bin/uvicorn", "todo_app:app", "--host", "127.0.0.1", "--port", "0"]
        with self.log.open("w") as file:
            # Without bytecode: it would be left in this folder.
            env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
            self.process = subprocess.Popen(command, cwd=HERE, env=env, stdout=file, stderr=file)

    def __enter__(self):
        try:
            self.target = self.until(self.port)
            self.until(self.healthy)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def until(self, ready):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if value := ready():
                return value
            time.sleep(0.02)
        raise RuntimeError(f"the app did not start:\n{self.log.read_text()}")

    def port(self):
        """The system chose it, and uvicorn says which."""
        line = re.search(r"running on (http://127\.0\.0\.1:\d+)", self.log.read_text())
        return line and line[1]

    def healthy(self):
        try:
            with urllib.request.urlopen(f"{self.target}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def requests(self):
        """What it was asked for, in order: method and path."""
        return re.findall(r'"([A-Z]+ /todos/\S*) HTTP/1.1"', self.log.read_text())


class Run:
    """A run of throng on an app of its own, and what it left behind."""

    def __init__(self, venv, throng, folder, plan, *options):
        folder.mkdir()
        self.out = folder / "results"
        with App(venv, folder / "app.log") as app:
            command = [throng, "run", PLANS / plan, "--target", app.target, "--seed", SEED]
            command += [*options, "--out", self.out]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.exit = done.returncode
        self.said = done.stdout + done.stderr
        self.requests = app.requests()
        summary = self.out / "summary.json"
        self.summary = json.loads(summary.read_text()) if summary.exists() else None

    def count(self, what="requests"):
        return self.summary["totals"][what]

    def passed(self):
        """Exit code 0, or 1 by response times alone: those are the machine's as much as ours."""
        broken = [row for row in self.summary["thresholds"] if row["state"] != "held"]
        return self.exit == 0 or (self.exit == 1 and all(row["unit"] == "ms" for row in broken))

    def at_full_speed(self):
        """The requests there would have been if answers took no time: a user waits 2 s on average
        and then for its answer, so that a slow machine makes fewer of them."""
        return self.count() * (2 + self.summary["totals"]["response_ms_avg"] / 1000) / 2

    def names(self):
        return {name["name"]: name["requests"] for name in self.summary["names"]}


def main(venv, throng):
    ours = ["-u", "20", "-r", "5", "-t", "15s", "TodoUser"]
    alone = ["-u", "1", "-t", "15s", "TodoUser"]
    runs = {
        "yaml": ["todo.yaml", *ours],
        "toml": ["todo.toml", *ours],
        "yaml alone": ["todo.yaml", *alone],
        "toml alone": ["todo.toml", *alone],
        "mixed": ["todo.yaml", "-u", "20", "-r", "20", "-t", "10s", "MixedWorkloadUser"],
    }
    venv, throng = Path(venv).absolute(), Path(throng).absolute()
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor() as threads:
        def start(name, *arguments):
            return Run(venv, throng, Path(temporary) / name, *arguments)

        # These sleep most of the time, so that they may go side by side; the next one does not.
        started = {name: threads.submit(start, name, *runs[name]) for name in runs}
        done = {name: run.result() for name, run in started.items()}
        done["stress"] = start("stress", "todo.yaml", "-u", "4", "-t", "5s", "StressTestUser")
        return report(list(checks(done)), done)


def checks(done):
    """Each check as its name, whether it holds, and what was seen."""
    yaml, toml = done["yaml"], done["toml"]
    if yaml.summary is None:
        yield "todo.yaml: it runs", False, yaml.exit
        return
    yield "todo.yaml: exit code 0", yaml.passed(), yaml.exit
    yield "todo.yaml: no failures", yaml.count("failures") == 0, yaml.count("failures")
    full = yaml.at_full_speed()
    within = REQUESTS.start <= full < REQUESTS.stop
    yield "todo.yaml: 131 to 153 requests", within, f"{yaml.count()}, {full:.1f} at full speed"
    yield "todo.yaml: the app saw as many", len(yaml.requests) == yaml.count(), len(yaml.requests)
    chance, shares = shares_by_chance(yaml.names())
    yield "todo.yaml: shares of 44/30/9/9/9 %, p > 0.001", chance > 0.001, shares
    for file, header in HEADERS.items():
        first = (yaml.out / file).read_bytes().split(b"\r\n")[0].decode()
        yield f"{file}: the header line of Locust", first == header, f"{first[:40]}…"
    want, got = summary_rows(yaml), stats_rows(yaml)
    yield "stats.csv: the counts of summary.json", want == got, f"{len(got)} rows"
    yield "todo.toml: exit code 0", toml.passed(), toml.exit
    yield "todo.toml: no failures", toml.count("failures") == 0, toml.count("failures")
    # Of 20 users some are about to send when the time is over: which ones is the clock's choice.
    off = max(abs(toml.names().get(name, 0) - yaml.names().get(name, 0)) for name in SHARES)
    yield "todo.toml: each name as often as in YAML", off <= 3, f"{off} apart at most"
    one, other = done["yaml alone"].requests, done["toml alone"].requests
    same = len(one) >= 5 and one[:5] == other[:5] and abs(len(one) - len(other)) <= 1
    yield "todo.toml: one user asks what it asks in YAML", same, f"{len(one)} and {len(other)}"
    mixed, stress = done["mixed"], done["stress"]
    yield "MixedWorkloadUser: exit code 0", mixed.passed(), mixed.exit
    yield "MixedWorkloadUser: no failures", mixed.count("failures") == 0, mixed.count()
    # Every workflow that was begun may end, so that the parts agree to the last request.
    parts = sorted(name["requests"] for name in mixed.summary["names"])
    whole = parts[0] > 0 and parts == [parts[0]] * 3 + [3 * parts[0]]
    yield "MixedWorkloadUser: whole workflows, 3 + 1 + 1 + 1", whole, parts
    # Full speed may break a threshold on a busy machine; what must not happen is a failed request.
    yield "StressTestUser: exit code 0 or 1", stress.exit in (0, 1), stress.exit
    yield "StressTestUser: no failures", stress.count("failures") == 0, stress.count()
    yield "StressTestUser: over 100 requests", stress.count() > 100, stress.count()


def shares_by_chance(names):
    """How likely counts as far off as these are by chance (chi-squared, 4 degrees of freedom)."""
    total, whole = sum(names.values()), sum(SHARES.values())
    expected = {name: total * share / whole for name, share in SHARES.items()}
    distance = sum((names.get(name, 0) - want) ** 2 / want for name, want in expected.items())
    chance = math.exp(-distance / 2) * (1 + distance / 2) if set(names) == set(SHARES) else 0.0
    counts = "/".join(str(names.get(name, 0)) for name in SHARES)
    return chance, f"{counts}, p = {chance:.3f}"


def summary_rows(run):
    rows = [(row["name"], row["requests"], row["failures"]) for row in run.summary["names"]]
    return sorted([*rows, ("Aggregated", run.count(), run.count("failures"))])


def stats_rows(run):
    with (run.out / "stats.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        return sorted(
            (row["Name"], int(row["Request Count"]), int(row["Failure Count"])) for row in rows
        )


def report(results, done):
    for name, held, seen in results:
        print(f"{'ok  ' if held else 'FAIL'} {name}: {seen}")
    failed = sum(not held for _, held, _ in results)
    if failed:
        for name, run in done.items():
            print(f"\n-- {name}, exit code {run.exit}\n{run.said}")
    print(f"{len(results) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
