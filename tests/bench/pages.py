#!/usr/bin/env python3
"""A page of complaints with 32 connections: every row read, from the caches beside 50 writes a second, and the same
page again; against PostGraphile, OpenReader and pgbench, in turn, and the medians of the rounds.

    python3 tests/bench/pages.py --program target/release/phananh [--before another/phananh] [--complaints 1000000]
                                 [--seconds 5] [--rounds 5] [--database URL of a database that this bench filled before]
                                 [--json FILE]

Needs PostgreSQL with pgbench, wrk and Node.js with npm. Everything runs on this machine, the load beside the servers.
`--before` adds an earlier program, for the cost of a change. A program that keeps whole answers (`answer_cache_mb`) is
also measured with its objects alone. Prints Markdown: rate, latencies, the share of requests to each cache that it
answered, and ratios to the peers. `--json` writes every round.
"""

import argparse
import datetime
import json
import statistics
import sys
import tempfile
import threading
import time

from common.databases import SERVER, Postgres, psql
from common.figures import table
from common.peers import HERE, JSON, STATES, installed, openreader, pgbench, postgraphile, prepared
from common.processes import family_mb
from common.register import Program, Server, hit_rates, knows_setting, post, shares
from common.wrk import wrk

WRITES_PER_SECOND = 50
WARM_SECONDS = 3
PEERS = ("postgraphile", "openreader", "pgbench")


class Writes:
    """Decides complaints at a rate. Each write takes the other finding than the present one, because a decision that
    changes nothing writes nothing: it gives one complaint of the pages a new version, and the register a position."""

    def __init__(self, url, token, pages):
        self.url, self.token, self.pages, self.number, self.going, self.refused = url, token, pages, 0, True, {}
        self.thread = threading.Thread(target=self.work)

    def work(self):
        query = """query($d: String!, $s: ComplaintState!) {
            complaints(filter: { unit: { within: $d }, state: { eq: $s } }, first: 25) {
                nodes { id version finding officers { finding officer { code } } } } }"""
        change = "mutation($i: RecordFindingInput!) { recordFinding(input: $i) { position } }"
        due, turn = time.monotonic(), 0
        while self.going:
            page = self.pages[turn % len(self.pages)]
            turn += 1
            found = post(self.url, self.token, query, {"d": page["department"], "s": page["state"]})
            for node in found["data"]["complaints"]["nodes"][:5]:
                named = node["officers"][0] if node["officers"] else None
                present = (named or node)["finding"]
                finding = {"finding": "NOT_SUSTAINED" if present == "SUSTAINED" else "SUSTAINED"}
                finding["decidedOn"] = datetime.date.today().isoformat()
                finding |= {"officer": named["officer"]["code"]} if named else {}
                given = {"complaintId": node["id"], "expectedVersion": node["version"], **finding}
                answer = post(self.url, self.token, change, {"i": given})
                if answer.get("errors"):
                    why = answer["errors"][0]["message"][:80]
                    self.refused[why] = self.refused.get(why, 0) + 1
                elif answer["data"]["recordFinding"]["position"] is None:
                    self.refused["nothing changed"] = self.refused.get("nothing changed", 0) + 1
                else:
                    self.number += 1
                    due += 1 / WRITES_PER_SECOND
                    time.sleep(max(0, due - time.monotonic()))

    def __enter__(self):
        self.began, self.first = time.monotonic(), self.number
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()
        self.per_second = round((self.number - self.first) / (time.monotonic() - self.began), 1)


class Ours:
    """What is measured of the program, one server at a time: an idle one would follow the writes beside it."""

    def __init__(self, asked, url, folder, departments):
        self.asked, self.folder, self.program = asked, folder, Program(asked.program, url)
        self.token = self.program.token("BOARD")
        self.variables = [{"department": code, "state": state} for _, code in departments for state in STATES]
        self.query = (HERE / "page.graphql").read_text()
        self.bodies = [{"query": self.query, "variables": variables} for variables in self.variables]
        self.headers = {**JSON, "authorization": f"Bearer {self.token}"}
        self.answers = knows_setting(asked.program, "answer_cache_mb")
        self.memory = {}

    def page(self, server, bodies=None):
        """Pages of a server, and how it used its caches."""
        before = server.cache_uses(self.token)
        found = wrk(server.url, self.asked.connections, self.asked.seconds, bodies or self.bodies, self.headers)
        return {**found, "hitRates": hit_rates(before, server.cache_uses(self.token))}

    def beside_writes(self, server):
        with Writes(server.url, self.token, self.variables) as writes:
            found = self.page(server)
        return {**found, "writesPerSecond": writes.per_second, "refused": writes.refused}

    def same_page(self, server):
        return self.page(server, self.bodies[:1])

    def served(self, name, program, settings, measures):
        """Starts a server, warms it up and measures."""
        with Server(program, self.folder, settings, f'[snapshot]\nfolder = "{self.folder}"\n') as server:
            # Fails if there is an error instead of a page.
            server.data(self.token, self.query, self.variables[0])
            wrk(server.url, 8, WARM_SECONDS, self.bodies, self.headers)
            found = {way: measure(server) for way, measure in measures.items()}
            self.memory[name] = family_mb(server.pid)
        return found

    def round(self):
        """Every way once."""
        none = {"answer_cache_mb": 0} if self.answers else {}
        cold = {"every row read": self.page, "every row read, the same page": self.same_page}
        kept = {
            "caches, beside writes": self.beside_writes,
            "caches, nobody writes": self.page,
            "caches, the same page": self.same_page,
        }
        found = self.served("cold", self.program, {"object_cache_mb": 0, **none}, cold)
        found |= self.served("caches", self.program, {}, kept)
        if self.answers:
            objects = {
                "objects alone, beside writes": self.beside_writes,
                "objects alone, the same page": self.same_page,
            }
            found |= self.served("objects alone", self.program, none, objects)
        if self.asked.before:
            before = Program(self.asked.before, self.program.database)
            found |= self.served("before", before, {}, {"before": self.page})
        return found


def median_of(rounds, name):
    """The medians of the numbers of a measure."""
    found = {key: [one[name][key] for one in rounds] for key in rounds[0][name]}
    return {key: statistics.median(of) for key, of in found.items() if isinstance(of[0], (int, float))}


def hits_of(rounds, name):
    """The median hit rate of each cache that a measure used, as text."""
    caches = dict.fromkeys(cache for one in rounds for cache in one[name].get("hitRates", {}))
    rates = {cache: [one[name]["hitRates"].get(cache) for one in rounds] for cache in caches}
    return shares({cache: statistics.median(of) for cache, of in rates.items() if None not in of})


def printed(rounds, memory):
    """The table, and what its columns do not say."""
    median = {name: median_of(rounds, name) for name in rounds[0]}
    rows = []
    for name, of in median.items():
        ratios = [f"{of['perSecond'] / median[peer]['perSecond']:.2f}" for peer in PEERS]
        late = [f"{of['p99Ms'] / median[peer]['p99Ms']:.2f}" if "p99Ms" in of else None for peer in PEERS[:2]]
        figures = [of.get(key) for key in ("perSecond", "p50Ms", "p99Ms", "writesPerSecond")]
        rows.append([name, *figures, hits_of(rounds, name), *ratios, *late])
    header = ["way", "pages/s", "p50, ms", "p99, ms", "writes/s", "from the caches"]
    header += [f"to {peer}" for peer in PEERS] + [f"p99 to {peer}" for peer in PEERS[:2]]
    print(table(header, rows))
    print(f"\nMemory, MB: {', '.join(f'{name} {mb}' for name, mb in memory.items())}")
    failed = {name: sum(one[name].get("errors", 0) for one in rounds) for name in median}
    for name, number in failed.items():
        if number:
            print(f"{number} requests of {name} failed")
    for one in rounds:
        for name, of in one.items():
            if of.get("refused"):
                print(f"Refused writes of {name}: {of['refused']}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--before")
    parser.add_argument("--complaints", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--server", default=SERVER)
    parser.add_argument("--database")
    parser.add_argument("--json", type=argparse.FileType("w"))
    asked = parser.parse_args()
    url = asked.database
    if not url:
        store = Postgres(asked.server)
        store.drop(store.url("phananh_bench_pages"))
        url = store.create("phananh_bench_pages")
        # The older program makes the world: the newer one migrates it, if there is anything to migrate.
        Program(asked.before or asked.program, url).generate(asked.complaints)
        store.settle(url)
    departments = prepared(url)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(asked, url, folder, departments)
        with (
            postgraphile(installed(folder), url, 5679, departments) as first,
            openreader(installed(folder, "openreader"), url, 5680, departments) as second,
        ):
            peers = {"postgraphile": first, "openreader": second}
            for peer in peers.values():
                wrk(peer.url, 8, WARM_SECONDS, peer.bodies, JSON)
            rounds = []
            for _ in range(asked.rounds):
                # pgbench is next to ours, while the connections of the peers are closed.
                found = {**ours.round(), "pgbench": pgbench(url, asked.connections, asked.seconds, departments)}
                for name, peer in peers.items():
                    found[name] = wrk(peer.url, asked.connections, asked.seconds, peer.bodies, JSON)
                    peer.check()
                rounds.append(found)
            memory = {**ours.memory, **{name: family_mb(peer.pid) for name, peer in peers.items()}}
    if asked.json:
        json.dump({"rounds": rounds, "memoryMb": memory}, asked.json, indent=1)
    complaints = int(psql(url, "SELECT count(*) FROM complaints"))
    print(f"{complaints:,} complaints, {asked.connections} connections, medians of {asked.rounds} rounds\n")
    printed(rounds, memory)


if __name__ == "__main__":
    main()
