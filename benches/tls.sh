#!/usr/bin/env bash
# Compares what TLS costs Throng, with ring and with AWS-LC, oha and h2load, in turns, against the same
# nginx: a request over connections that are kept, and one with a full handshake. Needs two cores and a
# C compiler, and installs what it can (as root; some minutes the first time); a tool that cannot be had
# is left out, and said. ROUNDS=5 SECONDS_EACH=20 benches/tls.sh measures longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/install.sh

debian nginx nginx-light
debian openssl openssl
with aws-lc target/aws-lc/release/throng \
  cargo build --quiet --release --bin throng --features aws-lc --target-dir target/aws-lc
with oha target/oha/bin/oha crate oha 1.16.0
with h2load h2load debian h2load nghttp2-client

build_throng
exec python3 -B benches/tls.py target/release/throng "${tools[@]}"
