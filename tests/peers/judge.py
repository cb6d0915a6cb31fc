"""Judges the thresholds of runs again, from nothing but the row of each request.

    python3 tests/peers/judge.py target/tmp/judged

Below that folder lie runs, each with `requests.csv` and `summary.json`; `cargo test` leaves them
there. Of the summary only the thresholds and the length of the run are read. Percentiles are those of
an exact sort: a figure that is nearer to its limit than histograms are exact to decides nothing, and
so does a retry of which the rows do not say in which second it was. The last line is `N passed, M
failed`; each threshold of which something could be decided counts.
"""

import bisect
import csv
import json
import math
import re
import sys
from pathlib import Path

HELD, BROKE, NO_DATA, TOO_FEW, UNSURE = "held", "broke", "no_data", "too_few", None
# What histograms are exact to: three digits, two for what explains other times; and the microseconds
# that the rows are written in.
EXACT, COARSE, ROUNDED = 0.001, 0.01, 0.0011
TIMES = {
    "": "Response ms", "ok": "Response ms", "service": "Service ms", "connect": "Connect ms",
    "tls": "TLS ms", "ttfb": "First Byte ms",
}
HOLDS = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
    "==": lambda value, limit: value == limit,
}
# More of them would mean that the random plans ask for nothing that can be decided.
MOST_UNSURE = 0.05


def cell(text):
    """A text as it stands in a cell: no formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


class Run:
    def __init__(self, folder):
        self.summary = json.loads((folder / "summary.json").read_text())
        with (folder / "requests.csv").open(newline="", encoding="utf-8") as file:
            self.rows = sorted(csv.DictReader(file), key=lambda row: int(row["Second"]))
        self.seconds = [int(row["Second"]) for row in self.rows]
        warmup = self.summary["warmup"]
        self.warmup = math.ceil(warmup["duration_s"]) if warmup else 0
        self.loaded_s = self.summary["run"]["loaded_s"]
        # The first second that does not lie within the load.
        self.whole = math.floor(self.warmup + self.loaded_s + 1e-6)

    def between(self, begin, end):
        return self.rows[bisect.bisect_left(self.seconds, begin):bisect.bisect_left(self.seconds, end)]

    def under_way(self, second):
        """At its beginning; none when the rows do not say it for certain."""
        def begun(row, slack):
            return float(row["Due ms"]) < 1000 * second + slack and int(row["Second"]) >= second
        some, fewer = (any(begun(row, slack) for row in self.rows) for slack in (1, -1))
        return some if some == fewer else None


class Threshold:
    def __init__(self, run, told):
        self.run, self.told = run, told
        metric, self.op, _ = told["text"].split(" ", 2)
        self.limit = told["limit"]
        time = re.fullmatch(r"(?:(ok|service|connect|tls|ttfb)\.)?(p[\d.]+|avg|min|max)", metric)
        self.time = time and (time[1] or "", time[2])
        self.metric = "time" if time else metric
        self.quantile = None
        if time and time[2].startswith("p"):
            self.quantile = float(time[2][1:] + "e-2")
        self.begin = max(told["after_s"], run.warmup)

    def is_of(self, row):
        of, kind = self.told["of"], self.told["of_kind"]
        if of is None:
            return True
        if kind == "class":
            return row["Class"] == cell(of)
        if kind == "tag":
            # The cell as a whole is made safe, and a tag is one word.
            tags = row["Tags"].split(" ")
            return of in tags or row["Tags"].startswith(cell(of) + " ") or row["Tags"] == cell(of)
        if row["Name"] == cell(of):
            return True
        method, _, name = of.partition(" ")
        return bool(name) and row["Type"] == cell(method) and row["Name"] == cell(name)

    def compared(self, value, slack):
        """Whether a figure keeps the limit; it is exact but for the slack."""
        if slack and abs(value - self.limit) <= slack:
            return UNSURE
        return HELD if HOLDS[self.op](value, self.limit) else BROKE

    def figure(self, rows, begin, end, seconds):
        """The state of those seconds of the run, the figure, and how exact it is."""
        rows = [row for row in rows if self.is_of(row)]
        ended = [row for row in rows if row["Outcome"] != "cancelled"]
        failed = sum(row["Outcome"] == "failed" for row in ended)
        within = sum(row["Phase"] != "grace" for row in ended)
        upper = self.op in ("<", "<=", "==")
        if upper and not (within if self.metric == "rps" else len(ended)):
            return NO_DATA, None, 0
        if self.metric == "requests":
            value, slack = len(ended), 0
        elif self.metric == "rps":
            value = within / seconds if seconds > 0 else 0
            slack = 1e-5 * value
        elif not ended:
            return NO_DATA, None, 0
        elif self.metric == "failures":
            value, slack = failed, 0
        elif self.metric == "error_rate":
            value, slack = failed / len(ended), 0
        elif self.metric == "retries":
            return self.retries(begin, end)
        else:
            return self.time_of(ended)
        return self.compared(value, slack), value, slack

    def retries(self, begin, end):
        """A row says how often its request was sent again, and not when: somewhere until it ended."""
        least = most = 0
        for row in self.run.rows:
            if self.is_of(row) and int(row["Retries"]):
                first, last = float(row["Due ms"]) / 1000, int(row["Second"])
                if first < end and last >= begin:
                    most += int(row["Retries"])
                if first >= begin and last < end:
                    least += int(row["Retries"])
        states = {self.compared(least, 0), self.compared(most, 0)}
        # Exactly so many may lie between.
        sure = least == most or (len(states) == 1 and self.op != "==")
        return states.pop() if sure else UNSURE, least if least == most else None, 0

    def time_of(self, rows):
        of, statistic = self.time
        times = sorted(
            float(row[TIMES[of]]) for row in rows
            if row[TIMES[of]] and (of != "ok" or row["Outcome"] == "ok")
        )
        if not times:
            return NO_DATA, None, 0
        if self.quantile is None:
            value = {"avg": math.fsum(times) / len(times), "min": times[0], "max": times[-1]}[statistic]
            slack = ROUNDED
        else:
            value = times[max(math.ceil(self.quantile * len(times)), 1) - 1]
            slack = value * (COARSE if of in ("connect", "tls", "ttfb") else EXACT) + ROUNDED
        state = self.compared(value, slack)
        few = self.quantile and not self.told["allow_few"] and len(times) < enough(
            self.quantile if self.op.startswith("<") else 1 - self.quantile)
        # What is broken is broken however few show it.
        if few and state is HELD:
            state = TOO_FEW
        return state, value, slack

    def judged(self):
        every, abort = self.told["every_s"], self.told["abort"]
        if every is None:
            return self.of_all(abort)
        return self.sliding(every) if abort else self.windows(every)

    def of_all(self, abort):
        run = self.run
        if abort:
            for second in range(self.begin + 1, run.whole + 1):
                rows = run.between(self.begin, second)
                state, value, slack = self.figure(rows, self.begin, second, second - self.begin)
                if state is BROKE:
                    return state, value, slack
                if state is UNSURE:
                    return UNSURE, None, 0
        seconds = max(run.loaded_s - (self.begin - run.warmup), 0)
        return self.figure(run.between(self.begin, math.inf), self.begin, math.inf, seconds)

    def windows(self, every):
        run, states = self.run, []
        for begin in range(self.begin, run.whole - every + 1, every):
            rows = run.between(begin, begin + every)
            states.append(self.figure(rows, begin, begin + every, every)[0])
        windows = self.told["windows"]
        if UNSURE not in states:
            broken = sum(state in (BROKE, NO_DATA) for state in states)
            if (windows["judged"], windows["broken"]) != (len(states), broken):
                raise Disagreement(f"{broken} of {len(states)} windows broke, {windows} told")
        return worst(states), None, 0

    def sliding(self, every):
        """Each second the window that ends with it, until it breaks."""
        run, states = self.run, []
        for end in range(self.begin + every, run.whole + 1):
            rows = run.between(end - every, end)
            states.append(self.figure(rows, end - every, end, every)[0])
            if states[-1] is UNSURE:
                return UNSURE, None, 0
            if states[-1] is BROKE:
                break
            if states[-1] is NO_DATA:
                under_way = run.under_way(end)
                if under_way is None:
                    return UNSURE, None, 0
                if under_way:
                    break
        return worst(states), None, 0


class Disagreement(Exception):
    pass


def enough(quantile):
    """The smallest number of samples of which one lies beyond the quantile in 95 of 100 cases."""
    count = max(math.floor(math.log(0.05) / math.log(quantile)), 1)
    while 1 - quantile**count < 0.95:
        count += 1
    return count


def worst(states):
    for state in (BROKE, UNSURE, NO_DATA, TOO_FEW):
        if state in states:
            return state
    return HELD if states else NO_DATA


def agrees(threshold):
    """Whether the state is ours; none when nothing can be decided."""
    told = threshold.told
    state, value, slack = threshold.judged()
    if state is UNSURE:
        return None
    if state != told["state"]:
        raise Disagreement(f"{state} here, {told['state']} there; {value} here, {told['value']} there")
    # The figure itself, which histograms and rounding move by so much at most.
    if value is not None and told["value"] is not None and told["windows"] is None:
        if abs(value - told["value"]) > max(slack, 1e-5 * abs(value) + 1e-6):
            raise Disagreement(f"{value} here, {told['value']} there")
    return True


def main(folder):
    folders = sorted((one for one in Path(folder).iterdir() if one.is_dir()), key=lambda one: int(one.name))
    runs = [Run(one) for one in folders]
    all_told = [(run, told) for run in runs for told in run.summary["thresholds"]]
    passed = failed = unsure = 0
    states = {}
    for run, told in all_told:
        states[told["state"]] = states.get(told["state"], 0) + 1
        try:
            if agrees(Threshold(run, told)):
                passed += 1
            else:
                unsure += 1
        except Disagreement as disagreement:
            failed += 1
            number = folders[runs.index(run)].name
            asked = {key: told[key] for key in ("text", "of", "of_kind", "every_s", "after_s", "abort", "allow_few")}
            print(f"run {number}: {asked}: {disagreement}")
    rows = sum(len(run.rows) for run in runs)
    print(f"{len(all_told)} thresholds over {len(runs)} runs with {rows:,} requests: {states}; "
          f"of {unsure} ({unsure / len(all_told):.1%}) the rows decide nothing")
    if len(all_told) < 1000 or unsure > MOST_UNSURE * len(all_told) or min(states.values()) < 20:
        failed += 1
        print("those are too few, or too little can be decided of them")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
