#!/usr/bin/env python3
"""A page of complaints with 32 connections: every row read, from the cache of objects beside 50 writes a second, and the same
page again; against PostGraphile and pgbench, in turn, and the median of the rounds.

    python3 tests/bench/pages.py --program target/release/phananh [--before another/phananh] [--complaints 1000000]
                                 [--seconds 5] [--rounds 5] [--database URL of a database that api.py filled]

Needs what api.py needs. `--before` adds an earlier program, for the cost of a change. Prints one JSON document.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from api import HERE, STATES, memory_mb, post, psql, wrk

LIMITS = "[api.limits]\nrequests_per_minute = 4000000000\ndeadline_ms = 60000\n"
WRITES_PER_SECOND = 50


class Server:
    """A server of a program, with settings."""

    def __init__(self, program, url, folder, name, api=""):
        config = pathlib.Path(folder) / f"{name}.toml"
        config.write_text(api + LIMITS)
        command = [program, "--database", url, "--config", config, "serve", "--listen", "127.0.0.1:0", "--no-jobs"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = f"{self.process.stdout.readline().split()[1]}/graphql"

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Writes:
    """Decides complaints at a rate: each write gives one complaint of the pages a new version."""

    def __init__(self, url, token, pages):
        self.url, self.token, self.pages, self.number, self.going, self.refused = url, token, pages, 0, True, {}
        self.thread = threading.Thread(target=self.work)

    def work(self):
        query = "query($d: String!, $s: ComplaintState!) { complaints(filter: { unit: { within: $d }, state: { eq: $s } }, first: 25) { nodes { id version receivedAt officers { officer { code } } } } }"
        change = "mutation($i: RecordFindingInput!) { recordFinding(input: $i) { position } }"
        due, turn = time.monotonic(), 0
        while self.going:
            page = self.pages[turn % len(self.pages)]
            turn += 1
            nodes = post(self.url, self.token, query, {"d": page["department"], "s": page["state"]})["data"]["complaints"]["nodes"]
            for node in nodes[:5]:
                finding = {"finding": ["SUSTAINED", "NOT_SUSTAINED"][turn % 2], "decidedOn": datetime.date.today().isoformat()}
                finding |= {"officer": node["officers"][0]["officer"]["code"]} if node["officers"] else {}
                given = {"complaintId": node["id"], "expectedVersion": node["version"], **finding}
                answer = post(self.url, self.token, change, {"i": given})
                if answer.get("errors"):
                    self.refused[answer["errors"][0]["message"][:80]] = self.refused.get(answer["errors"][0]["message"][:80], 0) + 1
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
        self.perSecond = round((self.number - self.first) / (time.monotonic() - self.began), 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--before")
    parser.add_argument("--complaints", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--server", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--database")
    args = parser.parse_args()
    os.environ["PGSSLMODE"] = "disable"
    url = args.database
    if not url:
        url = args.server.rsplit("/", 1)[0] + "/phananh_bench_pages"
        psql(args.server, "DROP DATABASE IF EXISTS phananh_bench_pages")
        psql(args.server, "CREATE DATABASE phananh_bench_pages TEMPLATE template0 ENCODING 'UTF8'")
        # The older program makes the world: the newer one migrates it, if there is anything to migrate.
        subprocess.run([args.before or args.program, "--database", url, "generate", "--complaints", str(args.complaints), "--seed", "1"], check=True, stdout=subprocess.DEVNULL)
        psql(url, "VACUUM ANALYZE")
    folder = tempfile.mkdtemp()
    units = "SELECT id, code FROM units WHERE kind = 'PROVINCIAL_DEPARTMENT' ORDER BY code"
    departments = [row.split("|") for row in psql(url, units).splitlines()]
    psql(url, f"DROP TABLE IF EXISTS bench_departments; CREATE TABLE bench_departments AS SELECT row_number() OVER (ORDER BY code)::int AS n, id FROM ({units}) u; ANALYZE bench_departments")
    command = [args.program, "--database", url, "token", "create", "--name", f"bench {time.time()}", "--role", "BOARD", "--format", "json"]
    board = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["token"]
    headers = {"content-type": "application/json", "authorization": f"Bearer {board}"}
    page = (HERE / "page.graphql").read_text()
    pages = [{"department": code, "state": state} for _, code in departments for state in STATES]
    bodies = [{"query": page, "variables": variables} for variables in pages]

    servers = {"cold": Server(args.program, url, folder, "cold", "[api]\nobject_cache_mb = 0\nanswer_cache_mb = 0\n"), "cached": Server(args.program, url, folder, "cached")}
    if args.before:
        servers["before"] = Server(args.before, url, folder, "before")
    packages = pathlib.Path(folder) / "peers"
    subprocess.run(["cp", "-r", HERE, packages], check=True)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], cwd=packages, check=True, stdout=subprocess.DEVNULL)
    peer = subprocess.Popen(["node", "postgraphile.mjs", url, "5679", "page-postgraphile.graphql"], cwd=packages, stdout=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ, "GRAPHILE_ENV": "production"})
    for _ in range(2):
        peer.stdout.readline()
    theirs = [{"id": "page", "documentId": "page", "variables": {"department": uuid, "state": state}} for uuid, _ in departments for state in STATES]

    def ours(name, these=bodies):
        return wrk(servers[name].url, args.connections, args.seconds, these, headers, folder, name)

    def pgbench():
        out = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(args.connections), "-j", "2", "-T", str(args.seconds), "-D", f"departments={len(departments)}", "-f", HERE / "page.sql", url], check=True, capture_output=True, text=True).stdout
        return {"perSecond": round(float(re.search(r"tps = ([\d.]+)", out).group(1)))}

    written, refused = [], {}

    def beside_writes():
        with Writes(servers["cached"].url, board, pages) as writes:
            found = ours("cached")
        written.append(writes.perSecond)
        refused.update(writes.refused)
        return found

    measures = {
        "cold": lambda: ours("cold"),
        "cachedBesideWrites": beside_writes,
        "samePage": lambda: ours("cached", bodies[:1]),
        "postgraphile": lambda: wrk("http://127.0.0.1:5679/graphql", args.connections, args.seconds, theirs, {"content-type": "application/json"}, folder, "theirs"),
        "pgbench": pgbench,
    }
    if args.before:
        measures["before"] = lambda: ours("before")
    for name in servers:
        wrk(servers[name].url, 8, 2, bodies, headers, folder, "warm")
    rounds = [{name: measure() for name, measure in measures.items()} for _ in range(args.rounds)]
    median = {name: {key: statistics.median(one[name][key] for one in rounds) for key in rounds[0][name]} for name in measures}
    cache = subprocess.run(["curl", "-s", "-H", f"authorization: Bearer {board}", servers["cached"].url.replace("/graphql", "/metrics")], capture_output=True, text=True).stdout
    uses = {name: {outcome: int(number) for outcome, number in re.findall(rf'{name}_cache_requests_total\{{outcome="(\w+)"\}} (\d+)', cache)} for name in ("object", "answer")}
    result = {
        "median": median,
        "toPostgraphile": {name: round(of["perSecond"] / median["postgraphile"]["perSecond"], 2) for name, of in median.items()},
        "toPgbench": {name: round(of["perSecond"] / median["pgbench"]["perSecond"], 2) for name, of in median.items()},
        "writesPerSecond": statistics.median(written),
        "refusedWrites": refused,
        "cache": uses,
        "memoryMb": {name: memory_mb(server.process.pid) for name, server in servers.items()},
    }
    if args.before:
        result["coldToBefore"] = round(median["cold"]["perSecond"] / median["before"]["perSecond"], 3)
    os.killpg(peer.pid, signal.SIGKILL)
    for server in servers.values():
        server.end()
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
