#!/usr/bin/env python3
"""The views of the web page over a large register, with 8 readers at once.

    python3 tests/bench/web.py --program target/release/phananh [--complaints 1000000] [--readers 8] [--seconds 60]
                               [--database URL of a database that this bench filled before] [--as-of YYYY-MM-DD]

Runs the recurrence job once, so that flags stand. Each reader has a session of its own and opens one view after the
other, in an order of its own, as soon as the last one is complete: 8 readers who do not read. Prints Markdown: the
number of answers of each view with p50, p95 and the longest, and its bytes. Ends with status 1 if the p95 of all
answers is above the goal of 300 ms, or an answer is not a page.

Needs PostgreSQL with psql; the load runs beside the server.
"""

import argparse
import http.client
import random
import sys
import tempfile
import threading
import time
import urllib.parse

from common.databases import SERVER, Postgres
from common.figures import percentile, table
from common.processes import Status
from common.register import Program, Server

GOAL_MS = 300
LAST_DAY = "2025-12-31"


class Reader:
    """A browser with a session: it opens views until the end."""

    def __init__(self, server, token, number, views):
        self.order, self.views, self.times, self.failures = random.Random(number), views, {}, []
        self.sizes = {}
        self.host = server.address.removeprefix("http://")
        self.connection = http.client.HTTPConnection(self.host, timeout=120)
        form = urllib.parse.urlencode({"token": token})
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": server.address}
        self.connection.request("POST", "/sign-in", form, headers)
        answer = self.connection.getresponse()
        answer.read()
        self.cookie = answer.getheader("set-cookie").split(";")[0]

    def open(self, path):
        """Milliseconds until the whole answer is there, and the answer."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers={"cookie": self.cookie, "accept": "text/html"})
        answer = self.connection.getresponse()
        body = answer.read()
        return (time.perf_counter() - began) * 1000, answer.status, body

    def work(self, until):
        while time.monotonic() < until:
            name, path = self.order.choice(self.views)
            took, status, body = self.open(path)
            if status == 200 and b"</html>" in body:
                self.times.setdefault(name, []).append(took)
                self.sizes[name] = len(body)
            else:
                self.failures.append(f"{path}: {status}")


def first(server, token, query, *path):
    found = server.data(token, query)
    for key in path:
        found = found[key]
    return found


def views_of(server, token):
    """Names and addresses of what readers open, with objects of this register."""
    complaint = first(server, token, "{ complaints(first: 1) { nodes { id } } }", "complaints", "nodes", 0, "id")
    unit = "{ units(filter: {kind: {eq: PROVINCIAL_DEPARTMENT}}, first: 1) { nodes { code } } }"
    unit = first(server, token, unit, "units", "nodes", 0, "code")
    flags = first(server, token, "{ flags(first: 1) { nodes { id } } }", "flags", "nodes")
    views = {
        "today": "/",
        "complaints": "/complaints",
        "complaints of a unit": f"/complaints?unit={urllib.parse.quote(unit)}",
        "complaints searched": "/complaints?search=container",
        "a complaint": f"/complaints/{complaint}",
        "flags": "/flags",
        "units": "/units",
        "a unit": f"/units/{urllib.parse.quote(unit)}",
        "categories": "/categories",
        "overdue": "/overdue",
        "escalations": "/overdue/escalations",
        "measures": "/measures",
        "explore": "/explore",
        "digests": "/digests",
        "alerts": "/alerts",
        "guidance": "/guidance",
    }
    if flags:
        views["a flag"] = f"/flags/{flags[0]['id']}"
    return list(views.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--complaints", type=int, default=1_000_000)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--as-of", default=LAST_DAY, help="the day of the recurrence job")
    parser.add_argument("--server", default=SERVER)
    parser.add_argument("--database")
    asked = parser.parse_args()
    url, store = asked.database, Postgres(asked.server)
    if not url:
        store.drop(store.url("phananh_bench_web"))
        url = store.create("phananh_bench_web")
        Program(asked.program, url).generate(asked.complaints)
        store.settle(url)
    program = Program(asked.program, url)
    program.run("jobs", "run", "recurrence", "--as-of", asked.as_of)
    with tempfile.TemporaryDirectory() as folder:
        with Server(program, folder, more=f'[snapshot]\nfolder = "{folder}"\n') as server:
            token = program.token("BOARD")
            views = views_of(server, token)
            readers = [Reader(server, token, number, views) for number in range(asked.readers)]
            alone = {name: readers[0].open(path)[0] for name, path in views}
            until = time.monotonic() + asked.seconds
            threads = [threading.Thread(target=reader.work, args=(until,)) for reader in readers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            memory = Status(server.pid).mb
    rows, every = [], []
    for name, _ in views:
        times = [time for reader in readers for time in reader.times.get(name, [])]
        every += times
        size = max((reader.sizes.get(name, 0) for reader in readers), default=0)
        figures = (percentile(times, share) for share in (0.5, 0.95, 1))
        rows.append([name, alone[name], len(times), *figures, size / 1000])
    rows.append(["all", None, len(every), *(percentile(every, share) for share in (0.5, 0.95, 1)), None])
    print(f"{asked.readers} readers, {len(every) / asked.seconds:.0f} views a second, {memory:.0f} MB\n")
    print(table(["view", "first time, alone, ms", "answers", "p50, ms", "p95, ms", "longest, ms", "KB"], rows))
    failures = [failure for reader in readers for failure in reader.failures]
    for failure in sorted(set(failures)):
        print(f"not a page, {failures.count(failure)} times: {failure}")
    missed = percentile(every, 0.95) > GOAL_MS
    print(f"\n{'**missed**' if missed else 'met'}: p95 of all views {percentile(every, 0.95):.0f} ms of {GOAL_MS}")
    sys.exit(1 if missed or failures else 0)


if __name__ == "__main__":
    main()
