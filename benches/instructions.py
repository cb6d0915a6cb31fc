"""Counts the instructions that Throng itself spends on one request, under callgrind.

    python3 benches/instructions.py THRONG SERVER [--keep]

One user sends a number of requests, then twice as many: the difference is what they cost, without
start and report, and without the kernel. Nothing else on the machine moves these counts. They are
held against benches/instructions.json: more than a twentieth above is an error; --keep writes them.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import HERE, Server

KEPT = HERE / "instructions.json"
REQUESTS = 3000
PLANS = {
    "get": ["get.yaml", "-u", "1"],
    "step": ["step.yaml", "-u", "1"],
    # A thousand a second, so that each waits for the one before it hardly ever.
    "open": ["get.yaml", "--rate", "1000/s"],
}


def instructions(binary, target, options, requests):
    plan, *load = options
    with tempfile.TemporaryDirectory() as out:
        counts = Path(out) / "counts"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", binary]
        command += ["run", HERE / plan, *load, "-t", "10m", "-i", str(requests), "--workers", "1"]
        command += ["--seed", "1", "--quiet", "--no-report", "--target", target, "--out", Path(out) / "run"]
        ran = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if not (written := Path(out) / "run/summary.json").exists():
            sys.exit(f"exit code {ran.returncode}:\n{ran.stderr}")
        summary = json.loads(written.read_text())
    done = summary["totals"]["requests"]
    if done != requests or summary["totals"]["failures"]:
        sys.exit(f"{done} of {requests} requests, exit code {ran.returncode}:\n{ran.stderr}")
    return int(re.search(r"Collected : (\d+)", ran.stderr)[1])


def main(binary, server, keep):
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    seen, worse = {}, []
    print(f"{'':<8}{'instructions':>14}{'kept':>8}{'ratio':>8}")
    with Server(server, 1) as target:
        for name, options in PLANS.items():
            few, many = (
                instructions(binary, target.target, options, number)
                for number in (REQUESTS, 2 * REQUESTS)
            )
            seen[name] = round((many - few) / REQUESTS)
            before = kept.get(name)
            ratio = seen[name] / before if before else 1
            print(f"{name:<8}{seen[name]:>14,}{before or '':>8}{ratio:>8.3f}")
            if ratio > 1.05:
                worse.append(name)
    if keep:
        KEPT.write_text(json.dumps(seen, indent=2) + "\n")
    elif worse:
        sys.exit(f"more than a twentieth above what is kept: {', '.join(worse)}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--keep" in sys.argv)
