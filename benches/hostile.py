"""Measures what `throng check` takes over plans that were written to hang it or to fill the machine.

    python3 benches/hostile.py THRONG

Prints the least of five times, the peak memory, the times of a small right plan, and the first thing
said, the slowest first. Ends with 1 when one has no exit code of a check (0 or 2), or takes 5 s.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TIMES = 5
LIMIT_S = 5
TARGET = "target: http://127.0.0.1:1\n"
HEAD = TARGET + "users: { U: { tasks: { t: { get: / } } } }\n"


def request(keys):
    return HEAD.replace("get: /", keys)


def path(text):
    return request(f'get: "/{text}", name: x')


def capture(how, selector):
    return request(f'get: /, name: x, capture: {{ a: {{ {how}: "{selector}" }} }}')


def steps(all_steps):
    return HEAD.replace("{ get: / }", f"{{ steps: [ {all_steps} ] }}")


def many(count, each, between=", "):
    return between.join(each(at) for at in range(count))


def lines(count, each):
    return many(count, lambda at: f"  {each(at)}\n", "")


def laughs():
    text = "x-a: &a0 [1,2,3,4,5,6,7,8,9,10]\n"
    for at in range(1, 12):
        text += f"x-a{at}: &a{at} [{','.join([f'*a{at - 1}'] * 10)}]\n"
    return text + HEAD


def merges():
    text = "x-m0: &m0 { a: 1 }\n"
    for at in range(1, 30):
        text += f"x-m{at}: &m{at} {{ <<: [*m{at - 1}, *m{at - 1}], k{at}: *m{at - 1} }}\n"
    return text + HEAD


def twice(at):
    return f"[ {{ call: f{at + 1} }}, {{ call: f{at + 1} }} ]"


def flows(each):
    return steps("{ call: f0 }") + "flows:\n" + lines(60, each) + "  f60: [ { get: / } ]\n"


LONG = "x" * 300
CLASS = "U{}: {{ tasks: {{ t: {{ {} }} }} }}"


def plans():
    return {
        "a small right plan.yaml": HEAD,
        "aliases.yaml": laughs(),
        "merges.yaml": merges(),
        "depth, flow.yaml": HEAD + "x-d: " + "[" * 200_000,
        "depth, block.yaml": HEAD + "x-d:\n" + "".join(" " * at + "- \n" for at in range(1, 2000)),
        "depth, dashes.yaml": HEAD + "x-d:\n  " + "- " * 200_000 + "1\n",
        "size.yaml": HEAD + "# " + "x" * (20 << 20) + "\n",
        "values.yaml": HEAD + "x-n: [" + "1," * 1_900_000 + "]\n",
        "values, unclosed.yaml": HEAD + "x-n: [" + "1," * 1_900_000,
        "lines.yaml": HEAD + "a:\n" * 400_000,
        "unknown keys.yaml": HEAD + many(49_000, lambda at: f"k{at}: 1\n", ""),
        "unknown keys of steps.yaml": steps(many(16_000, lambda at: "{ gett: / }")),
        "one word.yaml": HEAD + "x" * 1_000_000,
        "open braces.yaml": path("{{ " * 300_000),
        "open parentheses.yaml": path("{{ " + "(" * 300_000),
        "not not.yaml": path("{{ " + "not " * 200_000 + "x }}"),
        "filters.yaml": path("{{ x" + " | trim" * 100_000 + " }}"),
        "pieces.yaml": path("{{ user.id }}" * 80_000),
        "minus.yaml": path("{{ " + "-" * 400_000 + "1 }}"),
        "strings.yaml": path("{{ " + "'a' ~ " * 100_000 + "'b' }}"),
        "unknown names.yaml": path(many(60_000, lambda at: "{{ n%d }}" % at, "")),
        "unset variables.yaml": path(many(60_000, lambda at: "{{ env.N%d }}" % at, "")),
        "unknown names, one expression.yaml": request(
            f'when: "{many(40_000, lambda at: f"n{at} == 1", " and ")}", get: /'
        ),
        "a long list.yaml": path("{{ [" + "1," * 200_000 + "1] }}"),
        "indexes.yaml": path("{{ user" + "[0]" * 100_000 + " }}"),
        "if else.yaml": path("{{ " + "1 if 1 else " * 60_000 + "1 }}"),
        "jsonpath, long.yaml": capture("json", "$" + "[*]" * 100_000),
        "jsonpath, filters.yaml": capture("json", "$[?" + "@[?" * 30 + "@.a" + "]" * 31),
        "jsonpath, deep.yaml": capture("json", "$[?" + "(" * 50_000 + "@.a" + ")" * 50_000 + "]"),
        "regex, large.yaml": capture("regex", "(a{1,1000}){1,1000}" * 3),
        "regex, long.yaml": capture("regex", "(a|b)*" * 100_000),
        "regex, deep.yaml": capture("regex", "(" * 5000 + "a" + ")" * 5000),
        "css, long.yaml": capture("css", "a > " * 100_000 + "b"),
        "css, deep.yaml": capture("css", ":not(" * 50_000 + "b" + ")" * 50_000),
        "a duration.yaml": request(f'get: /, timeout: "{"1h " * 100_000}"'),
        "a threshold.yaml": HEAD + 'thresholds: [ "' + "p95 < 1s or " * 100_000 + 'p95 < 1s" ]\n',
        "thresholds.yaml": HEAD + "thresholds:\n" + lines(12_000, lambda at: f"- p95 < {at + 1}ms"),
        "flows, twice.yaml": flows(lambda at: f"f{at}: {twice(at)}"),
        "flows, before a retry.yaml": flows(
            lambda at: f"f{at}: [ {{ get: /, retry: {{ status: 503, times: 3, first: {twice(at)} }} }} ]"
        ),
        "calls of nothing.yaml": steps(many(8_000, lambda at: f"{{ call: g{at} }}"))
        + "flows:\n" + lines(5_000, lambda at: f"f{at}: [ {{ get: / }} ]"),
        "classes times steps.yaml": TARGET
        + f"flows: {{ f: [ {many(9_000, lambda at: f'{{ get: /{at} }}')} ] }}\nusers:\n"
        + lines(2_000, lambda at: CLASS.format(at, "steps: [ { call: f } ]")),
        "classes times flows.yaml": TARGET
        + "flows:\n" + lines(4_000, lambda at: f"f{at}: [ {{ get: / }} ]") + "users:\n"
        + lines(4_000, lambda at: CLASS.format(at, "steps: [ { call: t2 } ] }, t2: { get: /")),
        "classes times variables.yaml": TARGET
        + "vars:\n" + lines(8_000, lambda at: f"v{at}: 1") + "users:\n"
        + lines(4_000, lambda at: CLASS.format(at, "get: /")),
        "flows, deep.yaml": HEAD.replace("{ get: / }", "{ steps: [ { call: f0 } ] }") + "flows:\n"
        + lines(8_000, lambda at: f"f{at}: [ {{ call: f{at + 1} }} ]") + "  f8000: [ { get: / } ]\n",
        "flows, circles.yaml": steps("{ call: %s0 }" % LONG) + "flows:\n"
        + lines(3_000, lambda at: f"{LONG}{at}: [ {{ call: {LONG}0 }}, {{ call: {LONG}{at + 1} }} ]")
        + f"  {LONG}3000: [ {{ get: / }} ]\n",
        "flows, variables.yaml": steps("{ call: f0 }") + "flows:\n  f0: [ { set: { "
        + many(9_000, lambda at: f"v{at}: 1") + ' } }, { log: "' + many(9_000, lambda at: "{{ v%d }}" % at, "")
        + '" }, ' + many(5_000, lambda at: f"{{ call: f{at + 1} }}") + " ]\n"
        + lines(5_000, lambda at: f"f{at + 1}: [ {{ get: / }} ]"),
        "before each retry.yaml": f"defaults: {{ retry: {{ status: 503, first: [ {many(6_000, lambda at: '{ get: /a }')} ] }} }}\n"
        + steps(many(6_000, lambda at: "{ get: / }")),
        "series.yaml": "thresholds: [ { of: { tag: t1 }, must: rps > 1 } ]\n"
        + f"defaults: {{ retry: {{ status: 503, first: [ {many(300, lambda at: f'{{ get: /x{at} }}')} ] }} }}\n"
        + TARGET + f"users: {{ U: {{ tasks: {{ {many(300, lambda at: f't{at}: {{ tags: t{at}, get: / }}')} }} }} }}\n",
        "defaults, headers.yaml": f"defaults: {{ headers: {{ {many(2_000, lambda at: f'h{at}: a')} }} }}\n"
        + steps(many(10_000, lambda at: "{ get: / }")),
        "defaults, text.yaml": f"defaults: {{ headers: {{ h: {'x' * 1_000_000} }} }}\n"
        + steps(many(10_000, lambda at: "{ get: / }")),
        "classes times a list.yaml": f"vars: {{ v: [ {many(14_000, lambda at: '1')} ] }}\n" + TARGET
        + "users:\n" + lines(3_500, lambda at: CLASS.format(at, "get: /")),
        "classes times columns.yaml": f"data: {{ d: {{ values: [ {{ {many(12_000, lambda at: f'c{at}: 1')} }} ] }} }}\n" + TARGET
        + "users:\n" + lines(2_000, lambda at: CLASS.format(at, "get: /")),
        "classes times unset variables.yaml": TARGET + "flows: { f: [ "
        + many(900, lambda at: "{ get: '/%s', name: x }" % many(100, lambda of: "{{ env.N%d_%d }}" % (at, of), ""))
        + " ] }\nusers:\n" + lines(50, lambda at: CLASS.format(at, "steps: [ { call: f } ]")),
        "a long tag.yaml": "thresholds: [ { of: { class: U }, must: rps > 1 } ]\n" + TARGET
        + f"users: {{ U: {{ tags: {'x' * 3_000_000}, tasks: {{ {many(3_000, lambda at: f't{at}: {{ get: /{at} }}')} }} }} }}\n",
        "thresholds times profiles.yaml": TARGET + "users: { U: { wait: 1s, tasks: { t: { get: / } } } }\nthresholds:\n"
        + lines(6_000, lambda at: f"- rps > {at + 1000}") + "profile: p0\nprofiles:\n"
        + lines(4_000, lambda at: f"p{at}: {{ users: 1, hold: 1m }}"),
        "thresholds times classes.yaml": TARGET + "users:\n"
        + lines(500, lambda at: f"U{at}: {{ wait: 1s, tasks: {{ t: {{ get: / }} }} }}")
        + "thresholds: [ rps > 1 ]\nprofile: p0\nprofiles:\n"
        + lines(9, lambda at: f"p{at}: {{ users: 1000000, hold: 1m }}"),
        "regex, many.yaml": steps(many(3_000, lambda at: "{ get: /%d, capture: { a: { regex: 'a%d=(\\w{9})' } } }" % (at, at))),
        "captures.yaml": steps(many(5_000, lambda at: f"{{ get: /, capture: {{ c{at}: $.a }} }}")),
        "a chain.yaml": TARGET + "users: { U: { order: chain, tasks: { "
        + many(5_000, lambda at: f"t{at}: {{ get: /, next: {{ t{(at + 1) % 5_000}: 1 }} }}") + " } } }\n",
        "tags.yaml": TARGET + f"users: {{ U: {{ tags: [ {many(8_000, lambda at: f't{at}')} ], tasks: {{ "
        + many(5_000, lambda at: f"t{at}: {{ get: / }}") + " } } }\n",
        "stages.yaml": HEAD + f"profile: {{ stages: [ {many(9_000, lambda at: '{ users: 1, ramp: 1s }')} ] }}\n",
        "a body.yaml": request("post: /, json: [" + '"{{ user.id }}", ' * 15_000 + "]"),
        "an endless file.yaml": TARGET + "data: { d: { file: /dev/zero } }\n" + HEAD[len(TARGET) :],
        "an endless include.yaml": "include: /dev/zero\n" + HEAD,
        "includes itself.yaml": "include: includes itself.yaml\n" + HEAD,
        "depth.toml": "x-d = " + "[" * 200_000,
        "values.toml": "x-n = [" + "1," * 1_900_000 + "]\n",
        "tables.toml": many(60_000, lambda at: f"[users.U{at}]\n", ""),
        "dotted.toml": "x" + ".a" * 200_000 + " = 1\n",
        "dotted keys.toml": many(49_000, lambda at: f"x.a{at}{'.b' * 33} = 1\n", ""),
        "braces.toml": "x-d = " + "{a=" * 100_000,
    }


def once(throng, plan, said):
    """Milliseconds, MiB at the most, exit code."""
    began = time.perf_counter()
    with open(said, "w") as out:
        child = subprocess.Popen([throng, "check", plan], stdout=out, stderr=out)
        deadline = began + LIMIT_S
        while True:
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.perf_counter() > deadline:
                child.kill()
                deadline = float("inf")
            time.sleep(0.0002)
    child.returncode = os.waitstatus_to_exitcode(status)
    return (time.perf_counter() - began) * 1000, used.ru_maxrss / 1024, child.returncode


def write_all():
    """In a process of its own: the peak memory of a child begins with that of its parent."""
    pid = os.fork()
    if pid == 0:
        for name, text in plans().items():
            pathlib.Path(name).write_text(text)
        pathlib.Path("names").write_text(json.dumps(list(plans())))
        os._exit(0)
    os.waitpid(pid, 0)


def main(throng):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        throng = os.path.abspath(throng)
        os.chdir(folder)
        write_all()
        for name in json.loads(pathlib.Path("names").read_text()):
            runs = []
            while len(runs) < TIMES and (not runs or runs[-1][2] in (0, 2)):
                runs.append(once(throng, name, "said"))
            first = pathlib.Path("said").read_text(errors="replace").split("\n")[0]
            rows.append((min(runs)[0], max(run[1] for run in runs), runs[-1][2], name, first))
    small = rows[0][0]
    print(f"{'':38}{'ms':>8}{'ratio':>8}{'MiB':>8}{'exit':>6}")
    for ms, mib, code, name, first in sorted(rows, reverse=True):
        print(f"{name:38}{ms:8.1f}{ms / small:8.1f}{mib:8.1f}{code:6}  {first[:70]}")
    return int(any(code not in (0, 2) for _, _, code, _, _ in rows))


sys.exit(main(*sys.argv[1:]))
