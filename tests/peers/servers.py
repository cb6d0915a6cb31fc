"""Runs plans against servers that others use: nginx, and httpbin.

    python3 tests/peers/servers.py VENV THRONG

VENV holds the packages of requirements.txt. One line for each check; the last line is
`N passed, M failed`.
"""

import collections
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
GONE = "head.closed_no_bytes"

# Waits as long as the server does, so that some requests meet its closing.
HASTY = """
users: { Reader: { wait: 15ms..25ms, tasks: { read: { get: /empty.txt } } } }
profiles: { once: { users: 100, hold: 4s } }
"""


class Process:
    """A server that runs until the `with` block ends, and listens on a port by then."""

    def __init__(self, command, port, log):
        self.port, self.log = port, Path(log)
        with self.log.open("w") as file:
            self.process = subprocess.Popen(list(map(str, command)), stdout=file, stderr=file)

    def __enter__(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        self.__exit__()
        raise RuntimeError(f"it did not start:\n{self.log.read_text()}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def run(throng, folder, plan, *options):
    """The summary of a run, its exit code, and what was printed."""
    out = Path(tempfile.mkdtemp(dir=folder))
    command = [throng, "run", plan, "--no-report", "--out", out, *options]
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    summary = out / "summary.json"
    return json.loads(summary.read_text()) if summary.exists() else None, ran.returncode, ran.stdout + ran.stderr


def counts(summary):
    """Of each name: requests, failures."""
    return {row["name"]: (row["requests"], row["failures"]) for row in summary["names"]}


def failures(summary):
    return {row["id"] or row["error"]: row["count"] for row in summary["failures"]}


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, holds, what, seen=""):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"{'ok  ' if holds else 'FAIL'} {what}" + ("" if holds else f": {seen}"))


def httpbin(venv, throng, folder, checks):
    [port] = free_ports(1)
    command = [f"{venv}/bin/gunicorn", "-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", 16]
    with Process([*command, "httpbin:app"], port, f"{folder}/httpbin.log"):
        target = f"http://127.0.0.1:{port}"
        summary, code, said = run(throng, folder, HERE / "httpbin.yaml", "--target", target)
    wrong = {name: of for name, of in counts(summary).items() if of != (8, 8 * (name == "too slow"))}
    checks.that(not wrong and code == 0, "httpbin: each request 8 times, as its pages say", said)
    checks.that(summary["run"]["retries"] == 16, "httpbin: each of 8 tried again twice", said)


def nginx(throng, folder, checks):
    import trustme

    plain, secure, hasty = free_ports(3)
    site = folder / "site"
    (site / "folder").mkdir(parents=True)
    (site / "text.txt").write_text("".join(f"line {n}\n" for n in range(1000)))
    (site / "folder/index.html").write_text("a folder\n")
    (site / "empty.txt").write_text("")
    ca, other = trustme.CA(), trustme.CA()
    server = ca.issue_cert("localhost", "127.0.0.1")
    server.private_key_pem.write_to_path(folder / "server.key")
    (folder / "server.pem").write_bytes(b"".join(pem.bytes() for pem in server.cert_chain_pems))
    ca.cert_pem.write_to_path(folder / "ca.pem")
    other.cert_pem.write_to_path(folder / "other.pem")
    conf = (HERE / "nginx.conf").read_text().replace("FOLDER", str(folder))
    for word, port in [("PLAIN", plain), ("SECURE", secure), ("HASTY", hasty)]:
        conf = conf.replace(word, str(port))
    (folder / "nginx.conf").write_text(conf)
    # Its workers may be another user.
    for one in [folder, *folder.rglob("*")]:
        one.chmod(0o755)
    access = folder / "access.log"

    def seen(summary):
        """How often each path was asked for and what was said, since the last time."""
        # nginx writes a line when it is done with a request, which may be after the client.
        deadline = time.monotonic() + 10
        while len(access.read_text().splitlines()) < summary["run"]["issued"]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        lines = [line.split() for line in access.read_text().splitlines()]
        access.write_text("")
        return lines

    with Process(["nginx", "-e", "stderr", "-c", folder / "nginx.conf"], plain, folder / "nginx.log"):
        for target, options in [
            (f"http://127.0.0.1:{plain}", []),
            (f"https://localhost:{secure}", ["--cacert", folder / "ca.pem"]),
        ]:
            scheme = target.split(":")[0]
            access.write_text("")
            summary, code, said = run(throng, folder, HERE / "nginx.yaml", "--target", target, *options)
            checks.that(code == 0, f"nginx, {scheme}: as the plan says", said)
            only = failures(summary)
            checks.that(only == {GONE: 40}, f"nginx, {scheme}: only what is cut fails", only)
            lines = seen(summary)
            # `/moved` and `/folder` lead on to one more.
            hops = counts(summary)["/moved"][0] + counts(summary)["/folder"][0]
            asked = summary["run"]["issued"] + hops
            # 413 may be said before all is sent, and its connection closed: that is no request more.
            checks.that(len(lines) == asked, f"nginx, {scheme}: its log has each of {asked}", len(lines))
            tenth = sum(line[3] == "10" for line in lines)
            checks.that(tenth > 0, f"nginx, {scheme}: connections end with the tenth request", tenth)
        hasty_plan = folder / "hasty.yaml"
        hasty_plan.write_text(HASTY)
        summary, code, said = run(throng, folder, hasty_plan, "--target", f"http://127.0.0.1:{hasty}")
        again = {notice["id"]: notice["count"] for notice in summary["notices"]}.get("stale_reuse", 0)
        requests = summary["totals"]["requests"]
        checks.that(
            summary["totals"]["failures"] == 0 and code == 0,
            f"nginx: closing idle connections after 20 ms fails none of {requests}, {again} sent again",
            said,
        )
        summary, code, said = run(
            throng, folder, HERE / "nginx.yaml", "--target", target, "--cacert", folder / "other.pem"
        )
        known = "tls: the certificate is not signed by a known authority"
        checks.that(code == 4 and known in said, "nginx, https: another authority is not trusted", said)


def main(venv, throng):
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        httpbin(venv, Path(throng).resolve(), folder, checks)
        nginx(Path(throng).resolve(), folder, checks)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(checks.failed > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
