#!/usr/bin/env python3
"""The counts stage of the recurrence job against the same counts in DuckDB with scipy for the tails.

    python3 tests/bench/recurrence.py [--complaints 1000000 10000000] [--officers 100000]
                                      [--enterprises 1000000] [--runs 3]

Needs duckdb, numpy and scipy (pip install duckdb numpy scipy) and the release example
`recurrence_counts` (just bench-recurrence builds it). Both sides count the same invented complaints:
episodes of 7 days, distinct enterprises and counts in four windows, expected counts by peer group and month
with the officer left out, and mid-p tails. Reading files is not timed. Peak memory is that of the whole
process, DuckDB's with a limit of 2 GB.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

WINDOWS = (30, 90, 180, 365)
AS_OF = 20453  # 2025-12-31


def peer(rows, exposure):
    """The other side, in a process of its own: prints one JSON document."""
    import duckdb
    import numpy as np
    from scipy import stats

    db = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    db.execute(f"CREATE TABLE c AS SELECT * FROM read_csv('{rows}')")
    db.execute(f"CREATE TABLE x AS SELECT * FROM read_csv('{exposure}')")
    began = time.perf_counter()
    # An episode runs 7 days from its first complaint: approximated by gaps, as SQL has no scan.
    db.execute(
        """CREATE TABLE e AS SELECT *, enterprise IS NULL OR lag(day) OVER (
               PARTITION BY officer, enterprise ORDER BY day, complaint) IS NULL
               OR day - lag(day) OVER (PARTITION BY officer, enterprise ORDER BY day, complaint) > 7 AS opens
           FROM c"""
    )
    rows_ms = 1e3 * (time.perf_counter() - began)
    began = time.perf_counter()
    columns = []
    for w in WINDOWS:
        here = f"day > {AS_OF - w}"
        columns += [
            f"count(*) FILTER ({here})",
            f"count(*) FILTER (opens AND {here})",
            f"count(DISTINCT enterprise) FILTER ({here})",
            f"count(DISTINCT enterprise) FILTER ({here} AND not_sustained = 0)",
            f"count(*) FILTER ({here} AND serious = 1)",
        ]
    counted = db.execute(
        f"SELECT officer, {', '.join(columns)} FROM e WHERE day > {AS_OF - 365} GROUP BY officer ORDER BY officer"
    ).fetchnumpy()
    windows_ms = 1e3 * (time.perf_counter() - began)
    began = time.perf_counter()
    months = "(SELECT DISTINCT first_day, month FROM x)"
    pairs = []
    for w in WINDOWS:
        found = db.execute(
            f"""WITH cell AS (
                  SELECT officer, peer, month, sum(exposure) AS x, 0.0 AS y FROM x
                    WHERE first_day > {AS_OF - w} GROUP BY ALL
                  UNION ALL
                  SELECT officer, peer, (SELECT 0) + m.month, 0.0, count(*) FROM e
                    ASOF JOIN {months} m ON e.day >= m.first_day
                    WHERE opens AND day > {AS_OF - w} GROUP BY ALL),
                own AS (SELECT officer, peer, month, sum(x) AS x, sum(y) AS y FROM cell GROUP BY ALL),
                total AS (SELECT peer, month, sum(x) AS tx, sum(y) AS ty FROM own GROUP BY ALL)
                SELECT officer, sum(y) AS o, sum(x * (ty - y) / (tx - x)) AS e
                FROM own JOIN total USING (peer, month) GROUP BY officer ORDER BY officer"""
        ).fetchnumpy()
        pairs.append((found["o"], found["e"]))
    expected_ms = 1e3 * (time.perf_counter() - began)
    began = time.perf_counter()
    tails = sum(float((stats.poisson.sf(o, e) + 0.5 * stats.poisson.pmf(o, e)).sum()) for o, e in pairs)
    tails_ms = 1e3 * (time.perf_counter() - began)
    print(
        json.dumps(
            {
                "rowsMs": rows_ms,
                "windowsMs": windows_ms,
                "expectedMs": expected_ms,
                "tailsMs": tails_ms,
                "countsMs": rows_ms + windows_ms + expected_ms + tails_ms,
                "subjects": len(counted["officer"]),
                "observed": float(np.sum(pairs[3][0])),
                "expected": float(np.sum(pairs[3][1])),
                "tails": tails,
                "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--complaints", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--officers", type=int, default=100_000)
    parser.add_argument("--enterprises", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        peer(*args.peer)
        return
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    ours = os.path.join(target, "release", "examples", "recurrence_counts")
    if not os.path.exists(ours):
        sys.exit(f"there is no {ours}: just bench-recurrence builds it")
    with tempfile.TemporaryDirectory() as folder:
        rows, exposure = os.path.join(folder, "rows.csv"), os.path.join(folder, "exposure.csv")
        for complaints in args.complaints:
            sizes = [str(complaints), str(args.officers), str(args.enterprises)]
            subprocess.run([ours, *sizes, rows, exposure], check=True, stdout=subprocess.DEVNULL)
            found = {"phananh": [], "duckdb": []}
            for _ in range(args.runs):
                for name, command in (
                    ("phananh", [ours, *sizes]),
                    ("duckdb", [sys.executable, __file__, "--peer", rows, exposure]),
                ):
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    found[name].append(json.loads(done.stdout))
            median = {
                name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()
            }
            a, b = median["phananh"], median["duckdb"]
            print(f"{complaints:,} complaints, medians of {args.runs}")
            for key in ("rowsMs", "windowsMs", "expectedMs", "tailsMs", "countsMs"):
                print(f"  {key:12} phananh {a[key]:9.0f}   duckdb + scipy {b[key]:9.0f}   ratio {a[key] / b[key]:.2f}")
            print(f"  memory       phananh {a['countsPeakMb']:.0f} MB (the frame alone {a['frameMb']:.0f}), duckdb {b['peakMb']:.0f} MB")
            print(f"  whole job    phananh {a['wholeMs']:.0f} ms, {a['wholePeakMb']:.0f} MB")
            print(f"  the same?    O {a['observed']:.0f} and {b['observed']:.0f}, E {a['expected']:.1f} and {b['expected']:.1f}, subjects {a['subjects']:.0f} and {b['subjects']:.0f}")


if __name__ == "__main__":
    main()
