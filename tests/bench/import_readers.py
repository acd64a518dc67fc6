"""Readers of an SQLite register beside an import into it: how long a reader waits, and how long a batch takes."""

import json
import pathlib
import sqlite3
import threading
import time

from common.complaints_csv import write_complaints, write_mapping
from common.databases import Sqlite
from common.figures import percentile, table
from common.load import Load
from common.register import Program, Server, hit_rates, shares

PAGE = (pathlib.Path(__file__).parent / "api" / "page.graphql").read_text()
BASE_ROWS = 100_000
ALONE_SECONDS = 15


class Batches:
    """When the transactions of an import committed: the register's position grows with each."""

    def __init__(self, path):
        self.path, self.commits, self.going = path, [], True
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        reader = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        sql = "SELECT value FROM register_position"
        (last,) = reader.execute(sql).fetchone()
        while self.going:
            (position,) = reader.execute(sql).fetchone()
            if position != last:
                self.commits.append(time.monotonic())
                last = position
            time.sleep(0.005)
        reader.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()

    def milliseconds(self):
        """From each commit to the next."""
        return [(after - before) * 1000 for before, after in zip(self.commits, self.commits[1:], strict=False)]


def read(server, board, readers, bodies, seconds):
    """So many connections that ask one page after the other; the load, which goes on."""

    async def work(number, client, worker, _):
        turn = worker.counts[0] + number
        began = time.monotonic()
        status, answer = await client.post(board, bodies[turn % len(bodies)])
        if status == 200 and b'"errors"' not in answer:
            worker.good("pages", began)
        else:
            worker.failed("pages", f"{status} {answer[:150].decode(errors='replace')}")

    return Load(server.address, readers, work, ["pages"], seconds)


def beside_readers(path, folder, readers, rows):
    """Prints latencies of pages alone and beside an import of so many complaints, and the times of its batches."""
    store = Sqlite(folder)
    program = Program(path, store.fresh())
    mapping = f"{folder}/mapping.toml"
    write_mapping(mapping)
    for name, number, first in (("base", BASE_ROWS, 0), ("more", rows, BASE_ROWS)):
        write_complaints(f"{folder}/{name}.csv", number, first)
    program.run("import", "complaints", f"{folder}/base.csv", "--mapping", mapping)
    board = program.token("BOARD")
    with Server(program, folder) as server:
        state = server.data(board, "{ complaints(first: 1) { nodes { state } } }")["complaints"]["nodes"][0]["state"]
        pages = [{"department": f"U{number:03}", "state": state} for number in range(1, 201)]
        bodies = [json.dumps({"query": PAGE, "variables": variables}).encode() for variables in pages]
        read(server, board, readers, bodies, 3).results()
        before = server.cache_uses(board)
        alone, failed = read(server, board, readers, bodies, ALONE_SECONDS).results()
        between = server.cache_uses(board)
        load = read(server, board, readers, bodies, 24 * 3600)
        try:
            with Batches(store.path(program.database)) as batches:
                done = program.run("import", "complaints", f"{folder}/more.csv", "--mapping", mapping)
        finally:
            load.end()
            beside, failed_beside = load.results()
        after = server.cache_uses(board)
    batch = batches.milliseconds()
    longest = max(batch, default=0)
    print(f"{readers} readers of {BASE_ROWS:,} complaints in SQLite, beside an import of {rows:,}\n")
    rates = {"alone": hit_rates(before, between), "beside the import": hit_rates(between, after)}
    measured = {"alone": alone["pages"], "beside the import": beside["pages"]}
    lines = [
        [name, len(times), *(percentile(times, share) for share in (0.5, 0.99, 1)), shares(rates[name])]
        for name, times in measured.items()
    ]
    print(table(["pages", "number", "p50, ms", "p99, ms", "longest, ms", "from the caches"], lines))
    print(f"\nThe import: {done.seconds:.1f} s, {rows / done.seconds:,.0f} rows a second, {done.peak_mb:.0f} MB.")
    print(f"Its batches: {len(batch)}, median {percentile(batch, 0.5):,.0f} ms, longest {longest:,.0f} ms.")
    for why, number in {**failed, **failed_beside}.items():
        print(f"Failed {number} times: {why}")
    met = max(beside["pages"], default=0) <= longest
    print(f"{'met' if met else '**missed**'}: no reader waits longer than a batch")
