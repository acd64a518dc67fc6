#!/usr/bin/env python3
"""How time and memory grow with the register: one table from 10,000 complaints to a million, or more.

    python3 tests/bench/growth.py --program target/release/phananh [--sizes 10000 100000 1000000 10000000]
                                  [--postgres URL of a server] [--only page,statistics] [--results growth.json]
                                  [--keep FOLDER] [--stage-seconds 3600]

Each size has an invented register of its own: an SQLite file, or a database on the PostgreSQL server that is given. Its
stages are generate (time, memory, size of the database), start (from the register, and from the file of the snapshot),
page, statistics, search, recurrence (the whole job) and import (a CSV file of as many complaints into an empty
register). A stage that takes longer than `--stage-seconds` is given up. Each result goes to the results file as it
comes, and a stage that has one there is not measured again: an interrupted run continues. With `--keep` the registers
stay for the next run, else they are dropped. Prints one Markdown table: the factor from each size to the next, and the
slope of log against log.

Needs nothing but Python and the program, and psql for PostgreSQL.
"""

import argparse
import json
import math
import os
import pathlib
import sys
import tempfile

from common.databases import Postgres, Sqlite
from common.figures import slope, table
from common.processes import Failed
from common.register import Program, knows_setting
from growth_stages import CACHES, STAGES, Register


class Results:
    """What was measured, by database, size and stage, in a file."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.all = json.loads(self.path.read_text()) if self.path.exists() else {}

    def of(self, store, size):
        return self.all.setdefault(store, {}).setdefault(str(size), {})

    def add(self, store, size, stage, found):
        self.of(store, size)[stage] = found
        draft = self.path.with_suffix(".part")
        draft.write_text(json.dumps(self.all, indent=1))
        os.replace(draft, self.path)


def measure(store, size, asked, results, folder, caches):
    """The stages of one size that have no result yet."""
    known = results.of(store.name, size)
    wanted = [name for name in asked.only if "failed" in known.get(name, {"failed": "not measured"})]
    if not wanted:
        return
    name = f"phananh_growth_{size}"
    url, program = store.url(name), Program(asked.program, store.url(name))
    register = Register(store, program, size, folder, caches, asked.stage_seconds)
    held = asked.keep and store.exists(url)
    try:
        if not held or "generate" in wanted:
            store.drop(url)
            if store.name == "PostgreSQL":
                store.create(name)
            results.add(store.name, size, "generate", register.generated())
        for stage in wanted:
            if stage == "generate":
                continue
            print(f"{store.name}, {size:,}: {stage}", file=sys.stderr, flush=True)
            try:
                found = STAGES[stage](register)
            except (Failed, OSError) as failure:
                found = {"failed": str(failure)}
                print(f"  {failure}", file=sys.stderr, flush=True)
            results.add(store.name, size, stage, found)
    finally:
        if not asked.keep:
            store.drop(url)


def printed(store, sizes, results, only):
    """The table of one database: each measure at each size, factors and slope."""
    header = [store.name]
    for nth, size in enumerate(sizes):
        header += ([f"x {size / sizes[nth - 1]:g}"] if nth else []) + [f"{size:,}"]
    rows = []
    for stage in only:
        found = [results.of(store.name, size).get(stage, {}) for size in sizes]
        for measure in dict.fromkeys(key for one in found for key in one if key != "failed"):
            values = [one.get(measure) for one in found]
            row = [f"{stage}: {measure}"]
            for nth, value in enumerate(values):
                before = values[nth - 1] if nth else None
                row += ([value / before if value and before else None] if nth else []) + [value]
            points = [(math.log(size), math.log(value)) for size, value in zip(sizes, values, strict=True) if value]
            rows.append([*row, slope(points) if len(points) > 1 else None])
        failed = [(size, one["failed"]) for size, one in zip(sizes, found, strict=True) if "failed" in one]
        rows += [[f"{stage} failed at {size:,}: {why[:100]}"] for size, why in failed]
    width = len(header) + 1
    print(table([*header, "slope"], [row + [None] * (width - len(row)) for row in rows]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--postgres", help="the URL of a server: measures PostgreSQL instead of SQLite")
    parser.add_argument("--only", type=lambda text: text.split(","), default=["generate", *STAGES])
    parser.add_argument("--results", default="growth.json")
    parser.add_argument("--keep", metavar="FOLDER", help="where SQLite files stay for the next run")
    parser.add_argument("--stage-seconds", type=float, default=3600)
    asked = parser.parse_args()
    unknown = set(asked.only) - {"generate", *STAGES}
    if unknown:
        parser.error(f"there is no stage {', '.join(sorted(unknown))}: they are generate, {', '.join(STAGES)}")
    results, sizes = Results(asked.results), sorted(asked.sizes)
    caches = [name for name in CACHES if name == "object_cache_mb" or knows_setting(asked.program, name)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(asked.keep or temporary).resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = Postgres(asked.postgres) if asked.postgres else Sqlite(folder)
        for size in sizes:
            try:
                measure(store, size, asked, results, folder, caches)
            except Failed as failure:
                results.add(store.name, size, "generate", {"failed": str(failure)})
        printed(store, sizes, results, asked.only)


if __name__ == "__main__":
    main()
