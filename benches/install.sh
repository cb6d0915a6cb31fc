# Sourced by the scripts of this folder, at the root of the repository: installs what they compare
# with, under target/ where that is possible, and builds what they measure.

app_venv=target/peers # the one that tests/all.sh makes
bench_venv=target/bench-venv

# debian COMMAND PACKAGE: a package of Debian, as root.
debian() {
  # Not `command -v`: `time` is also a word of bash.
  type -P "$1" >/dev/null && return
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# pypi COMMAND VENV ARGUMENTS…: packages of PyPI, in an environment of their own.
pypi() {
  "$2/bin/$1" --version >/dev/null 2>&1 && return
  [ -x "$2/bin/pip" ] || python3 -m venv "$2"
  "$2/bin/pip" install --quiet --disable-pip-version-check "${@:3}"
}

# crate NAME VERSION: builds a program of crates.io; its own build takes some minutes.
crate() {
  [ -x "target/$1/bin/$1" ] && return
  cargo install --quiet --locked --root "target/$1" --target-dir "target/$1-build" "$1@$2" &&
    rm -rf "target/$1-build"
}

# with NAME PATH COMMAND…: installs by COMMAND what is then at PATH, and adds it to `tools`.
tools=()
with() {
  if "${@:3}" && type -P "$2" >/dev/null; then
    tools+=("$1=$2")
  else
    echo "left out: $1, which could not be installed" >&2
  fi
}

build_throng() { cargo build --quiet --release --bin throng; }

# Builds the server of this folder and prints its path: its file has a hash in its name, and cargo
# says which it is. With it cargo builds Throng as tests have it, with a clock that can be paused, and puts
# that in the place of the other: a twentieth more instructions. So the right one is put there again.
build_server() {
  cargo build --quiet --release --bench server --message-format json |
    sed -n 's/.*"name":"server".*"executable":"\([^"]*\)".*/\1/p'
  build_throng
}

# measured NAME ARGUMENTS…: has benches/NAME.py measure Throng against the server. With FIRST=yes (as
# root) what is measured goes before all other work of the machine: builds beside it do not count then.
measured() {
  local server first=()
  [ -z "${FIRST:-}" ] || first=(chrt -f 10)
  build_throng
  server=$(build_server)
  exec "${first[@]}" python3 -B "benches/$1.py" target/release/throng "$server" "${@:2}"
}
