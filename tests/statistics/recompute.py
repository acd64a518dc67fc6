"""Recomputes O, E, q and EB05 of all officers by other means: plain Python over an SQLite export, with
scipy for the distributions. Compares with what `phananh flags numbers --format json` says.

    python recompute.py REGISTER.db NUMBERS.json

The rules must count no campaigns: texts are not read here. Prints how many officers were compared and
the largest relative difference of each number; exits with 1 where one is larger than 1e-6.
"""

import bisect
import collections
import datetime as dt
import json
import math
import sqlite3
import sys

import numpy as np
from scipy import optimize, special, stats

LOCAL = dt.timedelta(hours=7)
WINDOW = 365
EPOCH = dt.date(1970, 1, 1)


def local_day(micros):
    return (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=micros) + LOCAL).date()


def day(text):
    return dt.date.fromisoformat(text) if text else None


def main(database, numbers_file):
    theirs = json.load(open(numbers_file))
    as_of = day(theirs["asOf"])
    first = as_of - dt.timedelta(days=WINDOW - 1)
    db = sqlite3.connect(database)
    units = {i: (kind, group) for i, kind, group in db.execute("SELECT id, kind, peer_group FROM units")}
    parents = collections.defaultdict(list)
    for unit, begins, ends, parent in db.execute("SELECT unit_id, valid_from, valid_to, parent_id FROM unit_parents"):
        parents[unit].append((day(begins), day(ends) or dt.date.max, parent))

    def branch(unit, on):
        for _ in range(16):
            if unit is None:
                return None
            if units[unit][0] == "BRANCH":
                return unit
            unit = next((p for a, b, p in sorted(parents[unit], reverse=True) if a <= on <= b), None)
        return None

    def group(unit, on):
        found = branch(unit, on)
        return units[found][1] if found else None

    # Episodes: conduct, not void, not cleared by the day; one enterprise within 7 days of the first.
    conduct = {i for (i,) in db.execute("SELECT id FROM issue_categories WHERE kind = 'CONDUCT'")}
    counts_as = {
        i: code_group or code[:10]
        for i, code, code_group in db.execute("SELECT id, tax_code, group_code FROM enterprises")
    }
    rows = db.execute(
        "SELECT o.officer_id, c.id, c.received_at, c.enterprise_id, o.unit_id, o.category_id, o.finding, "
        "o.decided_on, c.state, c.state_since, COALESCE(c.occurred_at, c.received_at) "
        "FROM complaint_officers o JOIN complaints c ON c.id = o.complaint_id"
    )
    complaints = {}
    for officer, complaint, received, enterprise, unit, category, finding, decided, state, since, own in rows:
        received = local_day(received)
        if received > as_of or category not in conduct:
            continue
        if state in ("WITHDRAWN", "REJECTED") and local_day(since) <= as_of:
            continue
        if finding in ("UNFOUNDED", "EXONERATED") and (decided is None or day(decided) <= as_of):
            continue
        complaints.setdefault((officer, complaint), (received, enterprise, group(unit, local_day(own))))
    by_pair = collections.defaultdict(list)
    episodes = collections.defaultdict(int)

    def count(officer, at, peer):
        if first <= at <= as_of:
            episodes[officer, peer, (at.year, at.month)] += 1

    for (officer, complaint), (received, enterprise, peer) in complaints.items():
        if enterprise is None:
            count(officer, received, peer)
        else:
            by_pair[officer, counts_as[enterprise]].append((received, complaint, peer))
    for (officer, _), found in by_pair.items():
        begins = None
        for received, _, peer in sorted(found, key=lambda one: one[:2]):
            if begins is None or (received - begins).days > 7:
                begins = received
                count(officer, received, peer)

    # Exposure: the workload of a month by day posted, the last month carried forward.
    postings = collections.defaultdict(list)
    for officer, unit, begins, ends in db.execute("SELECT officer_id, unit_id, valid_from, valid_to FROM postings"):
        postings[officer].append((unit, day(begins), day(ends) or dt.date.max))
    handled = collections.defaultdict(int)
    for officer, unit, month, declarations in db.execute(
        "SELECT officer_id, unit_id, month, declarations FROM workload WHERE officer_id IS NOT NULL"
    ):
        if day(month) <= as_of:
            handled[officer, unit, day(month).replace(day=1)] += declarations

    def month_end(month):
        return (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)

    def days_in(spans, a, b):
        return sum(max(0, (min(b, e) - max(a, s)).days + 1) for s, e in spans)

    series = collections.defaultdict(list)
    for (officer, unit, month), declarations in handled.items():
        spans = [(s, e) for u, s, e in postings[officer] if u == unit]
        posted = days_in(spans, month, month_end(month)) or month_end(month).day
        series[officer, unit].append((month, declarations / posted))
    exposure = collections.defaultdict(float)
    for (officer, unit), rates in series.items():
        rates.sort()
        months = [month for month, _ in rates]
        spans = [(s, e) for u, s, e in postings[officer] if u == unit]
        month = first.replace(day=1)
        while month <= as_of:
            a, b = max(first, month), min(as_of, month_end(month))
            days = days_in(spans, a, b)
            if days:
                at = max(0, bisect.bisect_right(months, month) - 1)
                exposure[officer, group(unit, a), (month.year, month.month)] += rates[at][1] * days
            month = month_end(month) + dt.timedelta(days=1)

    # Expected: the others' rate in peer group and month, widened where they have fewer than 5 episodes.
    x, y = collections.Counter(), collections.Counter()
    own_x, own_y = collections.Counter(), collections.Counter()
    for source, total, own in ((exposure, x, own_x), (episodes, y, own_y)):
        for (officer, peer, month), value in source.items():
            for key in ((peer, month), (peer,), ()):
                total[key] += value
                own[officer, key] += value
    expected, observed = collections.defaultdict(float), collections.Counter()
    for (officer, peer, month), value in exposure.items():
        for key, least in (((peer, month), 5), ((peer,), 5), ((), 0)):
            others = y[key] - own_y[officer, key]
            room = x[key] - own_x[officer, key]
            if others >= least and room > 1e-9 * x[key]:
                expected[officer] += value * others / room
                break
        else:
            expected[officer] = math.nan
    for (officer, _, _), value in episodes.items():
        observed[officer] += value
    codes = dict(db.execute("SELECT id, code FROM officers"))
    names = sorted(officer for officer, e in expected.items() if e > 0)
    o = np.array([observed[officer] for officer in names])
    e = np.array([expected[officer] for officer in names])

    # mid-p and Benjamini and Hochberg.
    p = stats.poisson.sf(o, e) + 0.5 * stats.poisson.pmf(o, e)
    order = np.argsort(p)
    ranked = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty_like(p)
    q[order] = np.minimum.accumulate(ranked[::-1])[::-1].clip(max=1)

    # The prior is theirs: it must be as likely as the best that scipy finds.
    prior = theirs["scatter"]["prior"]
    given = [prior["first"]["shape"], prior["first"]["rate"], prior["second"]["shape"], prior["second"]["rate"], prior["share"]]

    def log_nb(shape, rate):
        return stats.nbinom.logpmf(o, shape, rate / (rate + e))

    def likelihood(a1, b1, a2, b2, share):
        return -np.logaddexp(math.log(share) + log_nb(a1, b1), math.log1p(-share) + log_nb(a2, b2)).sum()

    def of_logs(theta):
        a1, b1, a2, b2 = np.exp(theta[:4])
        return likelihood(a1, b1, a2, b2, special.expit(theta[4]))

    start = np.append(np.log(given[:4]), special.logit(given[4]))
    starts = [start, start + 0.3, [0.0, 0.0, 1.0, 1.0, -2.0], [-1.0, -2.0, 1.0, 1.0, -3.0]]
    best = min(optimize.minimize(of_logs, s, method="L-BFGS-B", bounds=[(-12, 12)] * 5).fun for s in starts)
    if likelihood(*given) > best + 0.05:
        sys.exit(f"the fit is not the best one: {likelihood(*given)} where {best} can be had")

    def eb05(n, mean):
        a1, b1, a2, b2, share = given
        one = math.log(share) + n * math.log(1 / (b1 + mean)) + a1 * math.log(b1 / (b1 + mean)) + special.gammaln(a1 + n) - special.gammaln(a1)
        two = math.log1p(-share) + n * math.log(1 / (b2 + mean)) + a2 * math.log(b2 / (b2 + mean)) + special.gammaln(a2 + n) - special.gammaln(a2)
        w = special.expit(one - two)
        ends = [stats.gamma.ppf(0.05, a + n, scale=1 / (b + mean)) for a, b in ((a1, b1), (a2, b2))]

        def below(value):
            return w * special.gammainc(a1 + n, (b1 + mean) * value) + (1 - w) * special.gammainc(a2 + n, (b2 + mean) * value) - 0.05

        return optimize.brentq(below, 0.999 * min(ends), 1.001 * max(ends), xtol=1e-15, rtol=1e-14)

    by_code = {row["code"]: row for row in theirs["subjects"]}
    mine = {codes[officer]: at for at, officer in enumerate(names)}
    if set(by_code) != set(mine):
        sys.exit(f"other officers: {len(by_code)} of theirs, {len(mine)} of ours, {sorted(set(by_code) ^ set(mine))[:5]}")
    # Those with complaints first: of the others EB05 says little.
    chosen = sorted(mine, key=lambda code: (-o[mine[code]], code))[:200]
    worst = collections.Counter()
    for code in chosen:
        at, row = mine[code], by_code[code]
        if row["observed"] != o[at]:
            sys.exit(f"{code}: O {row['observed']} of theirs, {o[at]} of ours")
        for name, value in (("expected", e[at]), ("q", q[at]), ("eb05", eb05(int(o[at]), e[at]))):
            worst[name] = max(worst[name], abs(row[name] - value) / max(abs(value), 1e-300))
    print(json.dumps({"compared": len(chosen), "of": len(mine), "worst": worst}))
    if len(chosen) < 200 or any(value > 1e-6 for value in worst.values()):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
