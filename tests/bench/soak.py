#!/usr/bin/env python3
"""Memory and threads of a server under load: half pages, a quarter statistics, a quarter writes, at 32 connections.

    python3 tests/bench/soak.py --program target/release/phananh [--minutes 10] [--complaints 100000]
                                [--postgres URL of a server] [--only sqlite|postgres] [--samples FILE]

Makes an invented register in an SQLite file, and in a database of its own of the PostgreSQL server. Pages are of every
province and state; statistics reach from counts to all measures; writes are submissions, and responses to them by the
head of the branch. Prints Markdown: memory of the idle server, its peak, the medians of the first and the last minute,
the slope of the second half, threads, open files, the use of the caches, the processor time of server and load, and
whether the goals are met: at most twice the idle memory and the configured caches, at most 64 threads, no growth by
more than 1 % a minute in the second half. Ends with status 1 where a goal is missed. `--samples` adds each sample to a
file as it comes.

Needs nothing but Python and the program, and psql for PostgreSQL.
"""

import argparse
import json
import pathlib
import random
import statistics
import sys
import tempfile
import time
import uuid

from common.databases import Postgres, Sqlite
from common.figures import percentile, slope, table
from common.load import Load
from common.processes import Status, cpu_seconds, forget_peak
from common.register import Program, Server, hit_rates, knows_setting, shares

PAGE = (pathlib.Path(__file__).parent / "api" / "page.graphql").read_text()
STATES = ["CLOSED", "ANSWERED", "ASSIGNED"]
FOUR = "complaints distinctEnterprises costVnd delayHours"
ALL = f"{FOUR} episodes distinctOfficers shareAnsweredInTime medianDaysToResponse"
STATISTICS = [
    "{ complaintStatistics(groupBy: [DEPARTMENT], first: 100) { rows { complaints } } }",
    f"{{ complaintStatistics(groupBy: [CATEGORY], first: 100) {{ rows {{ {FOUR} }} }} }}",
    f"{{ complaintStatistics(groupBy: [DEPARTMENT, MONTH], first: 100) {{ rows {{ {ALL} }} }} }}",
    '{ complaintStatistics(groupBy: [MONTH], filter: {unitWithin: "PROVINCE"}) { rows { complaints costVnd } } }',
]
SUBMIT = "mutation($i: SubmitComplaintInput!) { submitComplaint(input: $i) { id version } }"
RESPOND = "mutation($i: RespondToComplaintInput!) { respondToComplaint(input: $i) { position } }"
KINDS = ["pages", "statistics", "submissions", "responses"]
SAMPLE_SECONDS = 5
MOST_THREADS = 64
MOST_GROWTH = 1


class Connection:
    """What one connection asks, in an order of its own."""

    def __init__(self, number, board, intake, head, branch, departments, tax_codes):
        self.board, self.intake, self.head, self.branch = board, intake, head, branch
        self.tax_codes, self.unanswered = tax_codes, []
        self.chance = random.Random(number)
        pages = [{"department": department, "state": state} for department in departments for state in STATES]
        self.pages = [json.dumps({"query": PAGE, "variables": variables}).encode() for variables in pages]
        asked = [query.replace("PROVINCE", department) for department in departments for query in STATISTICS]
        self.statistics = [json.dumps({"query": query}).encode() for query in asked]

    async def work(self, client, worker):
        share = self.chance.random()
        if share < 0.5:
            await self.ask("pages", self.board, self.chance.choice(self.pages), client, worker)
        elif share < 0.75:
            await self.ask("statistics", self.board, self.chance.choice(self.statistics), client, worker)
        elif self.unanswered:
            given = {**self.unanswered.pop(), "action": "EXPLANATION", "text": "Đã kiểm tra và trả lời doanh nghiệp."}
            body = json.dumps({"query": RESPOND, "variables": {"i": given}}).encode()
            await self.ask("responses", self.head, body, client, worker)
        else:
            given = {"idempotencyKey": str(uuid.uuid4()), "unit": self.branch, "text": "Hàng phải chờ lâu."}
            given |= {"taxCode": self.chance.choice(self.tax_codes), "costVnd": str(self.chance.randint(1, 9_000_000))}
            body = json.dumps({"query": SUBMIT, "variables": {"i": given}}).encode()
            answer = await self.ask("submissions", self.intake, body, client, worker)
            if answer:
                receipt = json.loads(answer)["data"]["submitComplaint"]
                self.unanswered.append({"complaintId": receipt["id"], "expectedVersion": receipt["version"]})

    async def ask(self, kind, token, body, client, worker):
        """The answer; None if it is an error."""
        began = time.monotonic()
        status, answer = await client.post(token, body)
        if status == 200 and b'"errors"' not in answer:
            worker.good(kind, began)
            return answer
        worker.failed(kind, f"{status} {answer.decode(errors='replace')}")
        return None


def connections(program, server, number):
    """What each connection asks with, from the register."""
    board, intake = program.token("BOARD"), program.token("INTAKE")
    query = "{ units(filter: {kind: {eq: %s}}, first: 200) { nodes { code } } }"
    departments, branches = (
        [node["code"] for node in server.data(board, query % kind)["units"]["nodes"]]
        for kind in ("PROVINCIAL_DEPARTMENT", "BRANCH")
    )
    found = server.data(board, "{ enterprises(first: 200) { nodes { taxCode } } }")["enterprises"]["nodes"]
    tax_codes = [node["taxCode"] for node in found]
    branches = [branches[nth % len(branches)] for nth in range(number)]
    heads = {branch: program.token("UNIT_HEAD", branch) for branch in set(branches)}
    return board, [
        Connection(nth, board, intake, heads[branch], branch, departments, tax_codes)
        for nth, branch in enumerate(branches)
    ]


def sampled(server, load, seconds, file):
    """A sample each few seconds until the load ends."""
    samples = []
    while True:
        at = time.monotonic() - load.began
        status, done = Status(server.pid), load.done()
        memory = {"mb": round(status.mb, 1), "peakMb": round(status.peak_mb, 1)}
        counts = {"threads": status.threads, "files": status.files, "operations": sum(done[:-1]), "failures": done[-1]}
        samples.append({"at": round(at, 1), **memory, **counts})
        if file:
            file.write(json.dumps(samples[-1]) + "\n")
            file.flush()
        if at >= seconds:
            return samples
        time.sleep(min(SAMPLE_SECONDS, max(0.05, seconds - at)))


def soaked(store, asked, folder, caches, file):
    """One database: prints what was measured, and returns whether the goals are met."""
    url = store.fresh()
    try:
        program = Program(asked.program, url)
        program.generate(asked.complaints)
        store.settle(url)
        with Server(program, folder, caches, f'[snapshot]\nfolder = "{folder}"\n') as server:
            board, each = connections(program, server, asked.connections)
            time.sleep(5)
            idle, before, cpu_before = Status(server.pid), server.cache_uses(board), cpu_seconds([server.pid])
            forget_peak(server.pid)
            seconds = asked.minutes * 60

            async def work(number, client, worker, _):
                await each[number].work(client, worker)

            load = Load(server.address, asked.connections, work, KINDS, seconds, asked.processes)
            samples = sampled(server, load, seconds, file)
            server_share = (cpu_seconds([server.pid]) - cpu_before) / seconds
            load_share = load.cpu_seconds() / seconds
            latencies, failures = load.results()
            rates = hit_rates(before, server.cache_uses(board))
            time.sleep(5)
            after = Status(server.pid)
    finally:
        store.drop(url)
    print(f"\nThe processor: {server_share:.2f} cores for the server, {load_share:.2f} for the load.", end=" ")
    print("The load is the limit: raise --processes." if load_share > 0.8 * asked.processes else "")
    return report(store, idle, samples, after, latencies, failures, rates, caches, seconds)


def report(store, idle, samples, after, latencies, failures, rates, caches, seconds):
    """Prints the tables, and returns whether the goals are met."""
    peak = max(samples[-1]["peakMb"], after.peak_mb)
    threads, files = (max(sample[key] for sample in samples) for key in ("threads", "files"))
    first = statistics.median(sample["mb"] for sample in samples if 0 < sample["at"] <= 60)
    last = statistics.median(sample["mb"] for sample in samples if sample["at"] >= seconds - 60)
    half = [(sample["at"] / 60, sample["mb"]) for sample in samples if sample["at"] >= seconds / 2]
    a_minute = slope(half) if len(half) > 1 else 0
    done = samples[-1]["operations"]
    most = 2 * idle.mb + sum(caches.values())
    failed = samples[-1]["failures"]
    print(
        f"\n### {store.name}: {done / seconds:,.0f} operations a second, {failed:,} failed, {seconds / 60:g} minutes\n"
    )
    rows = [
        [f"memory, MB (its start {idle.peak_mb:,.0f})", idle.mb, peak, first, last, after.mb],
        ["threads", idle.threads, threads, None, None, after.threads],
        ["open files", idle.files, files, None, None, after.files],
    ]
    print(table(["", "idle", "peak", "first minute", "last minute", "5 s afterwards"], rows), end="\n\n")
    rows = [[kind, len(of), *(percentile(of, share) for share in (0.5, 0.99, 1))] for kind, of in latencies.items()]
    print(table(["operation", "number", "p50, ms", "p99, ms", "longest, ms"], rows))
    print(f"\nCache hit rates: {shares(rates) or 'none'}. Slope of the second half: {a_minute:+.2f} MB a minute.")
    for why, number in failures.items():
        print(f"Failed {number} times: {why}")
    growth = 100 * a_minute / last
    goals = {
        f"memory {peak:,.0f} MB of at most {most:,.0f} (2 x idle, {sum(caches.values())} of caches)": peak <= most,
        f"threads {threads} of at most {MOST_THREADS}": threads <= MOST_THREADS,
        f"flat: {growth:+.2f} % a minute of at most {MOST_GROWTH:g} %": growth <= MOST_GROWTH,
        "no operation failed": not failures,
    }
    print()
    for goal, met in goals.items():
        print(f"* {'met' if met else '**missed**'}: {goal}")
    sys.stdout.flush()
    return all(goals.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--complaints", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--processes", type=int, default=1, help="of the load")
    parser.add_argument("--postgres", help="the URL of a server on which a database is made, and dropped afterwards")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--cache-mb", type=int, default=128, help="memory for each cache of the server")
    parser.add_argument("--samples", type=argparse.FileType("a"))
    asked = parser.parse_args()
    settings = ["object_cache_mb", "answer_cache_mb", "statistics_cache_mb"]
    caches = {name: asked.cache_mb for name in settings if knows_setting(asked.program, name)}
    good = True
    with tempfile.TemporaryDirectory() as folder:
        stores = [Sqlite(folder)] if asked.only != "postgres" else []
        stores += [Postgres(asked.postgres)] if asked.postgres and asked.only != "sqlite" else []
        for store in stores:
            good &= soaked(store, asked, folder, caches, asked.samples)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
