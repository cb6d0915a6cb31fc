"""Measures what TLS costs Throng and other load generators, in turns, against one nginx.

    python3 benches/tls.py THRONG [NAME=PATH]…

NAME is aws-lc (Throng built with it), oha or h2load. Each asks for the same thing as fast as it can,
64 at a time, on core 0; nginx has core 1. First over connections that are kept, then with a new
connection and a full handshake for each request: nginx then resumes no session and closes after each
answer. TLS 1.3, a certificate of ECDSA P-256, HTTP/1.1, nothing verified. benches/tls.sh installs and
builds all of it and calls this.
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import HERE, cpu_seconds, measure, pinned, run_throng, seconds_each
from peers import USERS, compare, measured

SECONDS = seconds_each("8")
# So many full handshakes h2load makes for each second that others have.
FEW = 2_000
CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.3;
    ssl_session_cache off;
    ssl_session_tickets off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    keepalive_requests 1000000000;
    default_type text/plain;
    server {{ listen 127.0.0.1:{kept} ssl backlog=4096; location / {{ return 200 "hello, world"; }} }}
    server {{
        listen 127.0.0.1:{new} ssl backlog=4096;
        keepalive_timeout 0;
        location / {{ return 200 "hello, world"; }}
    }}
}}
"""


class Nginx:
    """nginx on core 1; ends with the `with` block."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        command += ["-keyout", folder / "server.key", "-out", folder / "server.pem"]
        subprocess.run(command, check=True, capture_output=True)
        self.kept, self.new = free_ports(2)
        config = folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder, kept=self.kept, new=self.new))
        self.process = subprocess.Popen(pinned(1, ["nginx", "-c", config, "-p", folder]))
        for port in (self.kept, self.new):
            reachable(port, self.process)
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (self.worker,) = map(int, children.read_text().split())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


class Target:
    """One port of nginx, as the measuring has it."""

    def __init__(self, nginx, port):
        self.worker, self.target = nginx.worker, f"https://127.0.0.1:{port}"

    def cpu_seconds(self):
        return cpu_seconds(self.worker)


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def reachable(port, process):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit("nginx did not start")
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
    sys.exit(f"nginx does not listen at port {port}")


def throng(plan):
    def run(binary, target, _):
        options = ["--workers", "1", "-t", f"{SECONDS}s", "--insecure"]
        summary, usage = run_throng(binary, HERE / plan, target, 0, *options)
        return summary["totals"]["requests"], usage

    return run


def oha(*options):
    def run(binary, target, _):
        command = [binary, "--no-tui", "--insecure", "-z", f"{SECONDS}s", "-c", USERS, *options]
        said, usage = measure(pinned(0, [*command, "--output-format", "json", f"{target}/"]))
        summary = json.loads(said)
        # Those under way at the end are cut off, and no failure.
        cut = summary["errorDistribution"].pop("aborted due to deadline", 0)
        statuses = summary["statusCodeDistribution"]
        if summary["errorDistribution"] or cut > USERS or set(statuses) != {"200"}:
            sys.exit(f"oha met failures:\n{said}")
        return statuses["200"], usage

    return run


def h2load(*options):
    def run(binary, target, _):
        command = [binary, "--h1", "-t1", f"-c{USERS}", *options, f"{target}/"]
        said, usage = measure(pinned(0, command))
        found = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", said)
        failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", said)
        if not found or int(failed[1]) > USERS:
            sys.exit(f"h2load met failures:\n{said}")
        took = re.search(r"finished in ([\d.]+)(us|ms|s)", said)
        seconds = float(took[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[took[2]]
        return int(found[1]), usage, seconds

    return run


def main(binary, *tools):
    kept = {"throng": (throng("get.yaml"), binary)}
    new = {"throng": (throng("tls_new.yaml"), binary)}
    for tool in tools:
        name, _, path = tool.partition("=")
        if name == "aws-lc":
            kept["throng, aws-lc"] = (throng("get.yaml"), path)
            new["throng, aws-lc"] = (throng("tls_new.yaml"), path)
        elif name == "oha":
            kept["oha"], new["oha"] = (oha(), path), (oha("--disable-keepalive"), path)
        elif name == "h2load":
            kept["h2load"] = (h2load(f"-D{SECONDS}"), path)
            # By a number: by time it never ends where the server closes.
            new["h2load"] = (h2load(f"-n{FEW * SECONDS}"), path)
    missed = 0
    with Nginx() as nginx:
        for title, port, generators in (
            ("over connections that are kept", nginx.kept, kept),
            ("with a full handshake for each request", nginx.new, new),
        ):
            print(f"\n{title}\n", flush=True)
            missed |= compare(generators, measured(generators, Target(nginx, port)))
    return missed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
