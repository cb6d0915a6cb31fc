"""Measures how long `throng check` takes over a plan of 10,000 lines, in YAML and in TOML, and how
long PyYAML takes only to read the YAML one.

    python3 benches/check.py THRONG PYTHON

Ends with 1 when a check takes 100 ms or more. benches/check.sh installs PyYAML and calls this.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

LINES = 10_000
TIMES = 21

TASK_YAML = """\
      task_{n}:
        weight: {w}
        when: items_{m}
        steps:
          - post: /todos/{{{{ choice(items_{m}) }}}}/parts
            name: "/todos/{{id}}/parts {n}"
            headers: {{ x-request: "{{{{ user.id }}}}-{n}" }}
            json: {{ title: "perf {{{{ randint(1, 1000) }}}}", number: {n}, done: false }}
            accept: [201, 404]
            expect:
              - {{ json: $.done, equals: false }}
              - {{ time: < 2s }}
            capture: {{ id_{n}: $.id }}
          - wait: 1s..3s
          - if: id_{n} and response.status == 201
            then:
              - get: /todos/{{{{ id_{n} }}}}
                name: "/todos/{{id}} {n}"
            else:
              - set: {{ seen_{n}: "{{{{ seen_{n} | default(0) + 1 }}}}" }}
"""
TASK_TOML = """\
[users.Class_{c}.tasks.task_{n}]
weight = {w}
when = "items_{m}"
steps = [
  {{ post = "/todos/{{{{ choice(items_{m}) }}}}/parts", name = "/todos/{{id}}/parts {n}",
    headers = {{ x-request = "{{{{ user.id }}}}-{n}" }},
    json = {{ title = "perf {{{{ randint(1, 1000) }}}}", number = {n}, done = false }},
    accept = [201, 404],
    expect = [
      {{ json = "$.done", equals = false }},
      {{ time = "< 2s" }},
    ],
    capture = {{ id_{n} = "$.id" }},
  }},
  {{ wait = "1s..3s" }},
  {{ if = "id_{n} and response.status == 201",
    then = [{{ get = "/todos/{{{{ id_{n} }}}}", name = "/todos/{{id}} {n}" }}],
    else = [{{ set = {{ seen_{n} = "{{{{ seen_{n} | default(0) + 1 }}}}" }} }}],
  }},
]
"""


def plan(head, klass, task, rest):
    """Classes of 25 tasks each, until there are enough lines."""
    lines, n, c = [head], 0, 0
    while sum(text.count("\n") for text in lines) < LINES:
        lines.append(klass.format(c=c))
        for _ in range(25):
            lines.append(task.format(n=n, m=c, w=n % 5 + 1, c=c))
            n += 1
        c += 1
    return "".join(lines) + rest


YAML = (
    "target: http://127.0.0.1:8000\nusers:\n",
    "  Class_{c}:\n    wait: 1s..3s\n    on_start:\n"
    "      - {{ get: /todos/, capture: {{ items_{c}: {{ json: '$[*].id', pick: all }} }} }}\n    tasks:\n",
    TASK_YAML,
    "profiles:\n  load: { users: 100, hold: 1m }\n",
)
TOML = (
    'target = "http://127.0.0.1:8000"\n\n[profiles.load]\nusers = 100\nhold = "1m"\n',
    '\n[users.Class_{c}]\nwait = "1s..3s"\n'
    'on_start = [{{ get = "/todos/", capture = {{ items_{c} = {{ json = "$[*].id", pick = "all" }} }} }}]\n',
    TASK_TOML,
    "",
)


def median_ms(command):
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        said = subprocess.run(command, capture_output=True, text=True)
        times.append(1000 * (time.perf_counter() - start))
        if said.returncode != 0:
            sys.exit(f"{command[0]} failed:\n{said.stdout[-2000:]}{said.stderr[-2000:]}")
    return statistics.median(times)


def main(throng, python):
    with tempfile.TemporaryDirectory() as folder:
        figures = []
        for name, parts in [("plan.yaml", YAML), ("plan.toml", TOML)]:
            path = pathlib.Path(folder, name)
            text = plan(*parts)
            path.write_text(text)
            lines = text.count("\n")
            figures.append((f"throng check, {lines:,} lines of {path.suffix[1:].upper()}", median_ms([throng, "check", path])))
            if name == "plan.yaml":
                read = "import sys, yaml; yaml.load(open(sys.argv[1]), yaml.CSafeLoader)"
                figures.append(("PyYAML with its C parser, reading it", median_ms([python, "-c", read, path])))
                nothing = median_ms([python, "-c", "import yaml"])
                figures.append(("  of it Python's own start", nothing))
    for name, ms in figures:
        print(f"{name:<44} {ms:7.1f} ms")
    print(f"{'YAML: throng / PyYAML':<44} {figures[0][1] / figures[1][1]:7.2f}")
    return int(any(ms >= 100 for name, ms in figures if name.startswith("throng")))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
