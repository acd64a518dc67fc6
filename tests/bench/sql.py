#!/usr/bin/env python3
"""SQL over a large register: a running server against DuckDB over the same Parquet, the command line, and exports
against `COPY … TO`.

    python3 tests/bench/sql.py --program target/release/phananh [--complaints 1000000] [--rounds 9]
                               [--database URL of a database that this bench filled before] [--json FILE]
                               [--preload]

Needs PostgreSQL with psql and the Python package duckdb; phananh-engine stands beside the program. Everything runs on
this machine, in turn. The first answer is that of a server whose engine has not been asked: it contains the start of the
engine and the hand-over of the tables. With `--preload` the engine starts with the server (`sql.preload`), and the first
question waits until the log says that it has its tables. Warm answers are the medians of the rounds. Prints Markdown with
ratios, and ends with status 1 if a goal is missed.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.request

import duckdb
from common.databases import SERVER, Postgres
from common.figures import table
from common.processes import Failed, family_mb, measured
from common.register import Program, Server

# Goals: times DuckDB when warm, milliseconds of the first answer, seconds of a command, and the share of COPY's rate.
WARM_RATIO, FIRST_MS, COMMAND_SECONDS, COPY_RATIO, GROWTH_MB = 2, 300, 2, 1, 200
QUESTIONS = {
    "rows by kind": "SELECT kind, COUNT(*) AS n FROM complaints GROUP BY kind ORDER BY kind",
    "rows by unit and month": "SELECT unit, month, COUNT(*) AS n, SUM(cost_vnd) AS cost FROM complaints "
    "GROUP BY unit, month ORDER BY n DESC, unit, month LIMIT 100",
    "enterprises by year": "SELECT year, COUNT(DISTINCT enterprise) AS n FROM complaints GROUP BY year ORDER BY year",
    "shares by a window": "SELECT kind, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () AS share FROM complaints GROUP BY kind "
    "ORDER BY kind",
    "officers by enterprises": "SELECT COUNT(*) AS n FROM (SELECT a.officer, COUNT(DISTINCT c.enterprise) AS d "
    "FROM allegations a JOIN complaints c USING (complaint) GROUP BY a.officer) t WHERE d >= 5",
}


class Sampled:
    """The most memory that a process and its children have while the block runs."""

    def __init__(self, pid):
        self.pid, self.most, self.going = pid, family_mb(pid), True
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while self.going:
            self.most = max(self.most, family_mb(self.pid))
            time.sleep(0.05)

    def __enter__(self):
        self.before = self.most
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()


def get(server, token, path, body=None, kind="application/sql"):
    """Seconds and bytes of an answer."""
    headers = {"authorization": f"Bearer {token}"} | ({"content-type": kind} if body else {})
    request = urllib.request.Request(f"{server.address}{path}", body.encode() if body else None, headers)
    began, size = time.perf_counter(), 0
    with urllib.request.urlopen(request, timeout=600) as answer:
        while part := answer.read(1 << 20):
            size += len(part)
    return time.perf_counter() - began, size


def preloaded(server, seconds=600):
    """Milliseconds until the engine had its tables, as the log says. Waits for it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        log = server.log.read_text()
        if ready := re.search(r"a SQL engine has its tables before the first question.*\bmilliseconds=(\d+)", log):
            return int(ready[1])
        if "no SQL engine starts before the first question" in log:
            break
        time.sleep(0.05)
    raise Failed(f"the engine did not start before the first question: {server.log.read_text()[-500:].strip()}")


def in_duckdb(lake, rounds):
    """Seconds of each question over the lake: the median, with the file system's cache warm."""
    os.chdir(lake)
    connection, took = duckdb.connect(), {}
    connection.execute(pathlib.Path("lake.sql").read_text())
    for name, text in QUESTIONS.items():
        times = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            connection.execute(text).fetchall()
            times.append(time.perf_counter() - began)
        took[name] = statistics.median(times[1:])
    return took


def questions(server, token, of_duckdb, rounds):
    """The first answer and the median of warm ones, in milliseconds, beside DuckDB's."""
    found = {}
    for name, text in QUESTIONS.items():
        first = get(server, token, "/sql", text)[0]
        warm = statistics.median(get(server, token, "/sql", text)[0] for _ in range(rounds))
        found[name] = {"firstMs": 1e3 * first, "warmMs": 1e3 * warm, "duckdbMs": 1e3 * of_duckdb[name]}
        found[name]["ratio"] = warm / of_duckdb[name]
    return found


def commands(program, server, token, folder, key, config):
    """Seconds of a question by command line."""
    text = QUESTIONS["rows by kind"]
    own = ["--key-file", key]
    pathlib.Path(f"{folder}/token").write_text(token)
    # A server writes the file of its snapshot some seconds after its start.
    end = time.monotonic() + 120
    while not any(pathlib.Path(folder).glob("phananh-*.snapshot")):
        if time.monotonic() > end:
            raise Failed("the server wrote no file of its snapshot")
        time.sleep(0.1)
    return {
        "over the database": program.run("sql", text, *own).seconds,
        "over the database, with the file of a server's snapshot": program.run(
            "sql", text, *own, "--config", config
        ).seconds,
        "over the server": program.run(
            "sql", text, "--server", server.address, "--token-file", f"{folder}/token"
        ).seconds,
    }


def exports(server, token, url, complaints):
    """Rows a second of exports, and of PostgreSQL's COPY of the same table."""
    found = {}
    for kind in ("csv", "parquet", "arrow", "xlsx"):
        with Sampled(server.pid) as memory:
            took, size = get(server, token, f"/export/complaints.{kind}")
        found[kind] = {"perSecond": complaints / took, "mb": size / 1e6, "grownMb": memory.most - memory.before}
    if url.startswith("postgres"):
        copy = measured(
            ["psql", url, "-XAtq", "-c", "COPY (SELECT * FROM complaints ORDER BY received_at) TO STDOUT (FORMAT csv)"],
            env={**os.environ, "PGSSLMODE": "disable"},
        )
        found["COPY … TO"] = {"perSecond": complaints / copy.seconds, "mb": len(copy.out) / 1e6}
    return found


def missed(found):
    """The goals that were missed."""
    answers, first = found["questions"], next(iter(found["questions"].values()))
    for name, one in answers.items():
        if one["ratio"] > WARM_RATIO:
            yield f"{name}: {one['ratio']:.1f} times DuckDB, {WARM_RATIO} allowed"
    if first["firstMs"] > FIRST_MS:
        yield f"the first answer took {first['firstMs']:.0f} ms, {FIRST_MS} allowed"
    for name, seconds in found["commands"].items():
        if seconds > COMMAND_SECONDS:
            yield f"the command {name} took {seconds:.1f} s, {COMMAND_SECONDS} allowed"
    copy = found["exports"].get("COPY … TO")
    for name, one in found["exports"].items():
        if copy and name in ("csv", "parquet", "arrow") and one["perSecond"] < COPY_RATIO * copy["perSecond"]:
            yield f"{name}: {one['perSecond'] / copy['perSecond']:.2f} of the rate of COPY"
        if one.get("grownMb", 0) > GROWTH_MB:
            yield f"{name}: memory grew by {one['grownMb']} MB, {GROWTH_MB} allowed"


def printed(found):
    rows = [[name, *(one[key] for key in ("firstMs", "warmMs", "duckdbMs", "ratio"))]
            for name, one in found["questions"].items()]
    preload = found["preloadMs"]
    if preload is not None:
        print(f"With `sql.preload`: the engine had its tables after {preload:,} ms, before the first question.\n")
    first = "first, ms" if preload is None else "first with `sql.preload`, ms"
    print(table(["question", first, "warm, ms", "DuckDB, ms", "ratio"], rows), end="\n\n")
    print(table(["`phananh sql`", "s"], [[name, seconds] for name, seconds in found["commands"].items()]), end="\n\n")
    copy = found["exports"].get("COPY … TO", {}).get("perSecond")
    rows = [[name, one["perSecond"], one["mb"], one.get("grownMb"), one["perSecond"] / copy if copy else None]
            for name, one in found["exports"].items()]
    print(table(["export", "rows/s", "MB", "memory, + MB", "to COPY"], rows), end="\n\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--complaints", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--server", default=SERVER)
    parser.add_argument("--database")
    parser.add_argument("--preload", action="store_true")
    parser.add_argument("--json", type=argparse.FileType("w"))
    asked = parser.parse_args()
    url, store = asked.database, Postgres(asked.server)
    if not url:
        store.drop(store.url("phananh_bench_sql"))
        url = store.create("phananh_bench_sql")
        Program(asked.program, url).generate(asked.complaints)
        store.settle(url)
    program = Program(asked.program, url)
    with tempfile.TemporaryDirectory() as folder:
        key, lake = f"{folder}/key", f"{folder}/lake"
        snapshot = f'[snapshot]\nfolder = "{folder}"\n'
        config = pathlib.Path(f"{folder}/phananh.toml")
        config.write_text(snapshot)
        program.run("key", "create", key)
        program.run("lake", "sync", lake, "--key-file", key)
        of_duckdb = in_duckdb(lake, asked.rounds)
        more = snapshot + ('[sql]\npreload = ["DATA_TEAM"]\n' if asked.preload else "")
        with Server(program, folder, more=more, arguments=("--key-file", key)) as server:
            token = program.token("DATA_TEAM")
            found = {"preloadMs": preloaded(server) if asked.preload else None}
            found["questions"] = questions(server, token, of_duckdb, asked.rounds)
            complaints = json.loads(program.run("sql", "SELECT COUNT(*) AS n FROM complaints", "--key-file", key).out)
            found["commands"] = commands(program, server, token, folder, key, config)
            found["exports"] = exports(server, token, url, complaints["rows"][0]["n"])
            found["memoryMb"] = family_mb(server.pid)
        os.chdir("/")
    if asked.json:
        json.dump(found, asked.json, indent=1)
    printed(found)
    print(f"Memory of the server and its engines: {found['memoryMb']} MB")
    failures = list(missed(found))
    for failure in failures:
        print(f"MISSED: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
