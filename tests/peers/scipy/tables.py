"""Writes tables.json: what SciPy and statsmodels say of small samples, for the tests of comparisons.

    python -m venv v && v/bin/pip install -r tests/peers/scipy/requirements.txt
    v/bin/python tests/peers/scipy/tables.py > tests/peers/scipy/tables.json
"""

import json

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

random = np.random.default_rng(20)


def interval(one, other, exact, level=0.05):
    """The differences of all pairs in order, cut where the test still shows a difference."""
    n, m = len(one), len(other)
    differences = np.sort(np.subtract.outer(other, one).ravel())

    def p(u):
        # Two samples without ties that have this U.
        if exact:
            return 2 * stats.mannwhitneyu(*with_u(n, m, u), method="exact", alternative="less").pvalue
        z = (n * m / 2 - u - 0.5) / np.sqrt(n * m * (n + m + 1) / 12)
        return 2 * stats.norm.sf(z)

    cut = 0
    while cut < n * m // 2 and p(cut) < level:
        cut += 1
    low = max(cut - 1, 0)
    return [float(np.median(differences)), float(differences[low]), float(differences[n * m - 1 - low])]


def with_u(n, m, u):
    """A sample of n among m others, in order, so that U is u."""
    lower = []
    for k in range(n):
        lower.append(min(m, u - sum(lower)))
    return [low + 0.5 + 0.01 * k for k, low in enumerate(sorted(lower))], list(range(1, m + 1))


def rank_cases():
    sizes = [(3, 3), (4, 4), (5, 4), (5, 5), (8, 8), (8, 30), (9, 9), (12, 15), (30, 40)]
    for n, m in sizes:
        for shift in (0.0, 0.8, 3.0):
            yield random.normal(0, 1, n), random.normal(shift, 1, m)
    for n, m in [(4, 4), (6, 7), (10, 12)]:
        for shift in (0, 1, 4):
            yield random.integers(0, 4, n).astype(float), random.integers(shift, shift + 4, m).astype(float)
    yield np.zeros(4), np.zeros(4)


def ranks():
    for one, other in rank_cases():
        one, other = one.round(6), other.round(6)
        ties = len(set(one) | set(other)) < len(one) + len(other)
        exact = min(len(one), len(other)) <= 8
        found = stats.mannwhitneyu(one, other, method="exact" if exact and not ties else "asymptotic")
        p = 1.0 if np.isnan(found.pvalue) else float(found.pvalue)
        yield {"one": one.tolist(), "other": other.tolist(), "p": p, "shift": interval(one, other, exact)}


def holm():
    for count in (1, 2, 5, 20):
        for power in (1, 3):
            values = (random.random(count) ** power).round(6)
            corrected = multipletests(values, method="holm")[1]
            yield {"values": values.tolist(), "corrected": corrected.tolist()}


def bootstraps():
    """Blocks of one second: the ordinary bootstrap, of the seconds' requests."""
    for seconds, rate in ((60, 20.0), (200, 5.0)):
        requests = random.poisson(rate, seconds) + 1
        failed = random.binomial(requests, 0.1)
        times = [np.sort((40000 * np.exp(0.5 * random.standard_normal(n))).round().astype(int)) for n in requests]
        index = np.arange(seconds)

        def found(statistic):
            result = stats.bootstrap((index,), statistic, n_resamples=20000, vectorized=False, method="percentile", rng=1)
            low, high = result.confidence_interval
            return {"low": float(low), "high": float(high), "deviation": float(result.standard_error)}

        def quantile(q):
            def statistic(drawn):
                return np.log(np.quantile(np.concatenate([times[i] for i in drawn]), q, method="inverted_cdf"))
            return found(statistic)

        yield {
            "requests": requests.tolist(),
            "failed": failed.tolist(),
            "times_us": [one.tolist() for one in times],
            "p50": quantile(0.5),
            "p95": quantile(0.95),
            "throughput": found(lambda drawn: np.log(requests[drawn].sum())),
            "error_rate": found(lambda drawn: failed[drawn].sum() / requests[drawn].sum()),
        }


def students():
    for freedom in (1.5, 9.0, 18.0, 33.3, 1000.0):
        for t in (0.3, 2.1, 5.0):
            yield {"freedom": freedom, "t": t, "p": float(2 * stats.t.sf(t, freedom)), "half": float(stats.t.ppf(0.975, freedom))}


if __name__ == "__main__":
    import scipy

    tables = {
        "scipy": scipy.__version__,
        "ranks": list(ranks()),
        "holm": list(holm()),
        "bootstraps": list(bootstraps()),
        "students": list(students()),
    }
    print("{")
    for number, (key, value) in enumerate(tables.items()):
        comma = "," if number + 1 < len(tables) else ""
        if isinstance(value, str):
            print(f'  "{key}": "{value}"{comma}')
        else:
            rows = ",\n    ".join(json.dumps(row) for row in value)
            print(f'  "{key}": [\n    {rows}\n  ]{comma}')
    print("}")
