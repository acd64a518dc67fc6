#!/usr/bin/env python3
"""How long `phananh audit verify` takes over an invented register, and how much memory, in one run.

The goal: one million complaints with their events in 60 s and 500 MB. With PostgreSQL only the memory of
the program counts, not that of the server. Prints Markdown; ends with status 1 where a goal is missed.

Needs the release binary (`--program`), and for PostgreSQL psql and a server
(PHANANH_TEST_POSTGRES_URL, else 127.0.0.1:5432).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(PROJECT, "target"))
SERVER = os.environ.get("PHANANH_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
SECONDS, MEGABYTES = 60, 500


def measured(command, env):
    """Seconds, peak megabytes, exit status and standard output of a program."""
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        child = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return seconds, usage.ru_maxrss / 1024, child.returncode, out.read().decode()


def run(program, args, env):
    seconds, megabytes, status, out = measured([program, *args, "--format", "json"], env)
    if status != 0:
        sys.exit(f"{' '.join(args)} ended with {status}: {out}")
    return seconds, megabytes, json.loads(out)


def bench(name, url, args, key):
    env = {**os.environ, "PHANANH_DATABASE_URL": url, "PHANANH_KEY_FILE": key}
    made, _, _ = run(args.program, ["generate", "--complaints", str(args.complaints), "--seed", "1"], env)
    sealed, seal_memory, _ = run(args.program, ["audit", "seal"], env)
    times = [run(args.program, ["audit", "verify"], env) for _ in range(args.runs)]
    seconds = sorted(time for time, _, _ in times)[len(times) // 2]
    megabytes = max(memory for _, memory, _ in times)
    report = times[0][2]
    assert report["verified"], report
    rows = sum(table["rows"] for table in report["tables"])
    print(
        f"| {name} | {args.complaints:,} | {report['sealed']:,} | {rows:,} | {made:.0f} | {sealed:.1f} "
        f"({seal_memory:.0f} MB) | {seconds:.1f} | {megabytes:.0f} |",
        flush=True,
    )
    return seconds <= SECONDS and megabytes <= MEGABYTES


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--complaints", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--program", default=os.path.join(TARGET, "release", "phananh"))
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    args = parser.parse_args()
    good = True
    print("| database | complaints | events and entries | rows compared | made in s | sealed in s | verified in s | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=os.environ.get("PHANANH_BENCH_DIR")) as folder:
        key = os.path.join(folder, "key")
        subprocess.run([args.program, "key", "create", key], check=True, capture_output=True)
        if args.only != "postgres":
            good &= bench("SQLite", f"sqlite:{folder}/bench.db", args, key)
        if args.only != "sqlite":
            name = f"phananh_bench_{os.getpid()}"
            psql = lambda sql: subprocess.run(["psql", "-qAt", SERVER, "-c", sql], check=True)
            psql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
            try:
                good &= bench("PostgreSQL", SERVER.rsplit("/", 1)[0] + "/" + name, args, key)
            finally:
                psql(f"DROP DATABASE {name} WITH (FORCE)")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
