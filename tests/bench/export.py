#!/usr/bin/env python3
"""How fast `phananh export` writes complaints, against `COPY … TO` of the same columns and of the bare table, in one run.

The goal: with PostgreSQL, CSV and Parquet of a million complaints at the rate of `COPY` or faster, with memory that
does not grow with the register. On SQLite the peer is the shell `sqlite3`. Prints Markdown; ends with status 1 where
the goal is missed.

Needs the release binary (`--program`), and for PostgreSQL psql and a server (PHANANH_TEST_POSTGRES_URL, else
127.0.0.1:5432).
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from common.databases import SERVER, Postgres, Sqlite
from common.processes import measured

# The columns of an export, as far as one table has them.
COLUMNS = """id, received_at, occurred_at, recorded_at, legal_form, channel, enterprise_id, department_id, branch_id,
team_id, unit_id, responsible_unit_id, category_id, cost_vnd, delay_hours, blames_system, confidential, state,
state_since, finding, decided_on, due_on, answered_on"""
# With the officers and findings, which an export also has.
JOINED = f"""SELECT {COLUMNS}, (SELECT string_agg(o.officer_id::text || ':' || o.finding, ';') FROM complaint_officers o
WHERE o.complaint_id = c.id) FROM complaints c ORDER BY received_at"""
FORMS = ("csv", "parquet", "arrow", "xlsx")


def timed(command, to):
    """Seconds of a command whose output goes to a file."""
    with open(to, "wb") as out:
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=out, env={"PGSSLMODE": "disable", **os.environ})
        return time.perf_counter() - began


def peers(database, url):
    """Names and commands of what others write."""
    if isinstance(database, Postgres):
        copy = lambda what: ["psql", url, "-Xq", "-c", f"COPY ({what}) TO STDOUT (FORMAT csv, HEADER)"]
        return {
            "COPY, bare columns": copy(f"SELECT {COLUMNS} FROM complaints"),
            "COPY, with officers, in order": copy(JOINED),
        }
    shell = ["sqlite3", "-readonly", "-csv", str(database.path(url))]
    return {"sqlite3 -csv, bare columns": [*shell, f"SELECT {COLUMNS} FROM complaints"]}


def row(name, of, complaints, times, megabytes, peak):
    seconds = statistics.median(times)
    print(f"| {name} | {of} | {seconds:.1f} | {complaints / seconds:,.0f} | {megabytes:.0f} | {peak} |", flush=True)
    return seconds


def bench(database, args, folder):
    url = args.database or database.fresh()
    env = {**os.environ, "PHANANH_DATABASE_URL": url, "PHANANH_KEY_FILE": str(folder / "key")}
    try:
        if not args.database:
            measured([args.program, "generate", "--complaints", args.complaints, "--seed", "1"], env=env)
            database.settle(url)
        if not (folder / "key").exists():
            measured([args.program, "key", "create", folder / "key"], env=env)
        rates = {}
        for name, command in peers(database, url).items():
            to = folder / "peer.csv"
            times = [timed(command, to) for _ in range(args.runs)]
            rates[name] = row(database.name, name, args.complaints, times, to.stat().st_size / 1e6, "")
        for form in FORMS:
            to = folder / f"complaints.{form}"
            done = [measured([args.program, "export", to], env=env) for _ in range(args.runs)]
            peak = f"{max(one.peak_mb for one in done):.0f}"
            times = [one.seconds for one in done]
            rates[form] = row(database.name, f"export .{form}", args.complaints, times, to.stat().st_size / 1e6, peak)
    finally:
        if not args.database:
            database.drop(url)
    goal = rates.get("COPY, bare columns")
    return goal is None or max(rates["csv"], rates["parquet"]) <= goal


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--complaints", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--database", help="the URL of a database with so many complaints, which stays; needs --only")
    args = parser.parse_args()
    if args.database and not args.only:
        parser.error("--database needs --only")
    print("| database | what | median s | complaints/s | MB | peak MB |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        databases = {"sqlite": lambda: Sqlite(folder), "postgres": lambda: Postgres(SERVER)}
        chosen = [make() for name, make in databases.items() if args.only in (None, name)]
        met = [bench(database, args, folder) for database in chosen]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
