"""Compares how plans are read with how PyYAML reads them.

    python3 tests/peers/yaml_trees.py target/tmp/trees.json

`cargo test --test trees` writes the trees. Where PyYAML reads a text otherwise there must be a word
about it; a text that it refuses is told by itself. The last line is `N passed, M failed`.
"""

import datetime
import json
import math
import sys

import yaml


TAKE_OFF = ("redirects", "record", "compressed", "resume", "evidence")


def plain(value):
    """As JSON has it: keys as text, dates as something that no JSON holds."""
    if isinstance(value, dict):
        return {key_of(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime.date, bytes, set)):
        return ("no JSON", str(value))
    return value


def key_of(key):
    if isinstance(key, bool):
        return "true" if key else "false"
    if key is None:
        return "null"
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return str(key)


def same(one, other):
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            # These words are of the language of plans, where `on` and `off` are no text.
            same(one[key], other[key])
            or (key in TAKE_OFF and one[key] in ("on", "off") and other[key] is (one[key] == "on"))
            for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isclose(one, other, rel_tol=1e-15)
    return one == other


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    passed, failed = 0, 0
    for case in cases:
        agree = True
        theirs = None
        try:
            theirs = plain(yaml.safe_load(case["text"]))
            agree = not case["refused"] and same(case["tree"], theirs)
        except (yaml.YAMLError, ValueError, RecursionError, TypeError):
            pass
        if agree or case["told"]:
            passed += 1
        else:
            failed += 1
            print(f"{case['name']!r}: {case['tree']!r} here, {theirs!r} there")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
