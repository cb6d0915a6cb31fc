"""Prints what recorded runs show: of each fifth of the run the users, the throughput and the response times.

    python3 tests/causes/figures.py FOLDER…

Each folder holds the summary.json of a run.
"""

import json
import sys
from pathlib import Path


def shown(value, digits=0):
    return "-" if value is None else f"{value:.{digits}f}"


def mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def show(folder):
    summary = json.loads((folder / "summary.json").read_text())
    totals, run, history = summary["totals"], summary["run"], summary["history"]
    record = folder / "record.jsonl.gz"
    size = f", {record.stat().st_size // 1000} kB" if record.exists() else ""
    print(f"\n{summary['plan']['name']}: {run['users_peak']} users, {run['duration_s']:.0f} s, {summary['validity']['state']}{size}")
    for row in [totals, *(summary["names"] if len(summary["names"]) > 1 else [])]:
        print(
            f"  {row['name']}: {row['requests']} requests, {shown(row['requests_per_s'], 1)}/s, {100 * row['error_rate']:.1f} % failed,"
            f" p50 {shown(row['response_ms_p50'])} p95 {shown(row['response_ms_p95'])} max {shown(row['response_ms_max'])} ms,"
            f" connect p95 {shown(row['connect_ms_p95'])}, tls p95 {shown(row['tls_ms_p95'])},"
            f" first byte p95 {shown(row['first_byte_ms_p95'])}, service p95 {shown(row['service_ms_p95'])}"
        )
    count = len(history["time_s"])
    for part in range(5):
        of = slice(count * part // 5, count * (part + 1) // 5)
        if history["time_s"][of]:
            print(
                f"  from {history['time_s'][of][0]:3} s: users {shown(mean(history['users'][of]), 1)},"
                f" {shown(mean(history['requests_per_s'][of]), 1)}/s, failed {shown(mean(history['failures_per_s'][of]), 1)}/s,"
                f" p50 {shown(mean(history['response_ms_p50'][of]))}, p95 {shown(mean(history['response_ms_p95'][of]))} ms"
            )
    for failure in summary["failures"][:4]:
        print(f"  {failure['count']}: {failure['error']}")
    if run["arrivals"] is not None:
        print(f"  {run['arrivals']} arrivals, {run['dropped']} dropped, late starts p99 {shown(run['late_start_ms_p99'])} ms")
    for threshold in summary["thresholds"]:
        print(f"  {threshold.get('text') or threshold.get('must')}: {threshold.get('state') or threshold.get('outcome')}")
    for reason in summary["validity"]["reasons"]:
        print(f"  {reason}")


for name in sys.argv[1:]:
    show(Path(name))
