"""Reads the CSV files of a run as Locust's users do: with pandas, and with the csv module of Python.

    VENV/bin/python tests/peers/csv_files.py THRONG

VENV holds the packages of requirements.txt. Each reader is first tried on files that Locust 2.47.0
wrote, in `locust/`. One line for each check; the last line is `N passed, M failed`.
"""

import csv
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas

HERE = Path(__file__).resolve().parent
ODD = ['=SUM(A1,"B2")', "+49 30 123, ext. 4", "-1", "@home", 'it\'s "quoted", twice', "üñí 할일 🎯"]
PLAN = """
users:
  Someone:
    wait: 40ms
    tasks:
%s
      refused: { get: /status/503, name: 'refused, "always"', accept: [200] }
      judged: { get: /health, name: judged, expect: { contains: "=1+1,\\n\\"x\\"" } }
      fails: { steps: [{ fail: 'out of "stock",' }] }
"""


def tasks():
    quoted = (name.replace("'", "''") for name in ODD)
    lines = (f"      t{number}: {{ get: /health, name: '{name}' }}" for number, name in enumerate(quoted))
    return "\n".join(lines)


def safe(name):
    """A cell that begins as a formula has a quote before it."""
    return "'" + name if name[0] in "=+-@" else name


class Files:
    def __init__(self, prefix):
        self.stats, self.history, self.failures, self.exceptions = (
            f"{prefix}_{name}.csv" for name in ("stats", "stats_history", "failures", "exceptions")
        )


def header(path):
    return Path(path).read_bytes().split(b"\r\n")[0]


def dicts(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# What people have scripts for. ------------------------------------------------------------------

def aggregated(files):
    """The row that a gate in CI looks at: p95, share of failures, requests a second."""
    (row,) = [row for row in dicts(files.stats) if row["Name"] == "Aggregated"]
    requests = int(row["Request Count"])
    return float(row["95%"]), int(row["Failure Count"]) / requests, float(row["Requests/s"])


def table(files):
    """Each line by method and name, all its figures as numbers."""
    named = {}
    for row in dicts(files.stats):
        key = row.pop("Type"), row.pop("Name")
        named[key] = {column: float(cell) for column, cell in row.items()}
    return named


def curve(files):
    """What is plotted: time, users, rate and p95 of all together; quiet seconds are left out."""
    points = []
    for row in dicts(files.history):
        if row["Name"] != "Aggregated" or row["95%"] == "N/A":
            continue
        points.append((int(row["Timestamp"]), int(row["User Count"]), float(row["Requests/s"]), float(row["95%"])))
    return points


def errors(files):
    return {(row["Method"], row["Name"], row["Error"]): int(row["Occurrences"]) for row in dicts(files.failures)}


def exceptions(files):
    return {row["Message"]: int(row["Count"]) for row in dicts(files.exceptions)}


def framed(files):
    """The same by pandas: numbers are numbers, and time is an index."""
    stats = pandas.read_csv(files.stats, keep_default_na=False)
    figures = stats.drop(columns=["Type", "Name"])
    assert all(pandas.api.types.is_numeric_dtype(kind) for kind in figures.dtypes), figures.dtypes
    history = pandas.read_csv(files.history)
    figures = history.drop(columns=["Type", "Name"])
    assert all(pandas.api.types.is_numeric_dtype(kind) for kind in figures.dtypes), figures.dtypes
    history.index = pandas.to_datetime(history["Timestamp"], unit="s")
    everything = history[history["Name"] == "Aggregated"]
    assert everything.index.is_monotonic_increasing and everything.index.is_unique
    resampled = everything["Requests/s"].resample("2s").mean()
    assert not resampled.empty
    failures, exceptions = pandas.read_csv(files.failures), pandas.read_csv(files.exceptions)
    return stats, history, failures, exceptions


def checks(locust, ours, requests_file):
    for name in ("stats", "history", "failures", "exceptions"):
        yield f"{name}: Locust's header line", header(getattr(ours, name)) == header(getattr(locust, name)), ""

    p95, ratio, rate = aggregated(locust)
    yield "the readers read Locust's files", p95 == 10 and ratio == 0 and rate > 8, (p95, ratio, rate)
    yield "and their names", len(table(locust)) == 6 and len(curve(locust)) > 10 and not errors(locust), ""
    stats, history, failures, _ = framed(locust)
    yield "and so does pandas", len(stats) == 6 and len(history) > 10 and failures.empty, ""

    p95, ratio, rate = aggregated(ours)
    yield "the gate: p95, share of failures, rate", p95 > 0 and 0 < ratio < 1 and rate > 10, (p95, ratio, rate)
    named = table(ours)
    names = {name for _, name in named}
    wanted = {safe(name) for name in ODD} | {'refused, "always"', "judged", "Aggregated"}
    yield "every name, however odd", names == wanted, names ^ wanted
    whole = named.pop(("", "Aggregated"))
    for column in ("Request Count", "Failure Count"):
        total = sum(row[column] for row in named.values())
        yield f"{column}: names add up", total == whole[column], (total, whole[column])
    ordered = ["Min Response Time", "50%", "66%", "75%", "80%", "90%", "95%", "98%", "99%", "99.9%", "99.99%", "100%"]
    rising = all(list(map(row.get, ordered)) == sorted(map(row.get, ordered)) for row in [whole, *named.values()])
    yield "percentiles rise", rising and whole["100%"] == whole["Max Response Time"], whole
    yield "the median is the 50 %", all(row["50%"] == row["Median Response Time"] for row in named.values()), ""

    points = curve(ours)
    yield "the plot: a point a second", [t for t, *_ in points] == sorted({t for t, *_ in points}), points
    yield "the plot: users", {users for _, users, *_ in points} == {10}, points
    seen = errors(ours)
    yield "failures add up", sum(seen.values()) == whole["Failure Count"], seen
    kinds = {(method, name) for method, name, _ in seen}
    yield "failures by name", kinds == {("GET", 'refused, "always"'), ("GET", "judged")}, kinds
    told = exceptions(ours)
    yield "exceptions", len(told) == 1 and next(iter(told)).startswith('fail: out of "stock",'), told

    stats, history, failures, exceptions_ = framed(ours)
    yield "pandas: as many rows", len(stats) == len(named) + 1, len(stats)
    yield "pandas: the same names", set(stats["Name"]) == wanted, ""
    yield "pandas: failures", failures["Occurrences"].sum() == whole["Failure Count"], ""
    yield "pandas: exceptions", exceptions_["Count"].sum() == sum(told.values()), ""
    totals = history.pivot(index="Timestamp", columns=["Type", "Name"], values="Total Request Count")
    yield "pandas: the full history by name", set(totals.columns.get_level_values("Name")) == wanted, totals
    grows = totals.ffill().fillna(0).diff().fillna(0).min().min() >= 0
    yield "pandas: totals only grow", grows, totals
    last = history[history["Timestamp"] == history["Timestamp"].max()]
    same = last.set_index("Name")["Total Request Count"].to_dict() == stats.set_index("Name")["Request Count"].to_dict()
    yield "pandas: the last of them are those of the run", same, last

    rows = pandas.read_csv(requests_file)
    ended = rows[rows["Outcome"] != "cancelled"]
    yield "each request: as many as the tables have", len(ended) == whole["Request Count"], len(ended)
    counts = ended.groupby("Name").size().to_dict()
    yield "each request: by name", all(counts[name] == row["Request Count"] for (_, name), row in named.items()), counts
    times = sorted(ended["Response ms"])
    for share, column in ((0.5, "50%"), (0.95, "95%"), (0.99, "99%")):
        exact = times[max(math.ceil(share * len(times)), 1) - 1]
        near = abs(whole[column] - exact) <= 0.001 * exact + 0.0011
        yield f"each request: {column} by an exact sort", near, (whole[column], exact)
    mean = ended["Response ms"].mean()
    yield "each request: the mean", abs(mean - whole["Average Response Time"]) < 0.0011, mean
    at = pandas.to_datetime(rows["Timestamp"], unit="s")
    spread = (at.max() - at.min()).total_seconds() - (rows["Ended ms"].max() - rows["Ended ms"].min()) / 1e3
    yield "each request: by the calendar", abs(spread) < 0.001, spread


def main(throng):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        plan, out = folder / "plan.yaml", folder / "out"
        plan.write_text(PLAN % tasks(), encoding="utf-8")
        command = [throng, "run", plan, "--demo", "-u", "10", "-t", "3s", "--seed", "1", "--quiet", "--no-report",
                   "--out", out, "--csv", folder / "run", "--csv-full-history",
                   "--csv-requests", folder / "requests.csv"]
        ran = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        results = list(checks(Files(HERE / "locust" / "todo"), Files(folder / "run"), folder / "requests.csv"))
        for name in ("stats", "stats_history", "failures", "exceptions"):
            same = (folder / f"run_{name}.csv").read_bytes() == (out / f"{name}.csv").read_bytes()
            results.append((f"{name}: the copy is one", same, ""))
    failed = 0
    for name, held, seen in results:
        print(f"{'ok  ' if held else 'FAIL'} {name}{'' if held else f': {seen}'}")
        failed += not held
    if failed:
        print(f"exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
    print(f"{len(results) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
