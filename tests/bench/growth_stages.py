"""The stages of growth.py: each measures one thing of a register and returns its figures by name."""

import itertools
import json
import pathlib
import statistics
import time

from common.complaints_csv import write_complaints, write_mapping
from common.figures import percentile
from common.processes import Failed, Status
from common.register import Program, Server

PAGE = (pathlib.Path(__file__).parent / "api" / "page.graphql").read_text()
STATES = ["CLOSED", "ANSWERED", "ASSIGNED"]
FOUR = "complaints distinctEnterprises costVnd delayHours"
ALL = f"{FOUR} episodes distinctOfficers shareAnsweredInTime medianDaysToResponse"
LAST_DAY = "2025-12-31"
# The caches of a server, each off where what it saves is measured.
CACHES = ("object_cache_mb", "answer_cache_mb", "statistics_cache_mb")


class Register:
    """An invented register of a size, and how to serve it with nothing kept."""

    def __init__(self, store, program, size, folder, caches, seconds):
        self.store, self.program, self.size, self.folder, self.seconds = store, program, size, folder, seconds
        self.caches = dict.fromkeys(caches, 0)

    def generated(self):
        made = self.program.generate(self.size, self.seconds)
        self.store.settle(self.program.database)
        size = self.store.mb(self.program.database)
        return {"s": made.seconds, "memory, MB": made.peak_mb, "database, MB": size}

    def served(self, snapshot="keep = true\nfrom_complaints = 1", **caches):
        snapshot = f'[snapshot]\n{snapshot}\nfolder = "{self.folder}"\n'
        return Server(self.program, self.folder, {**self.caches, **caches}, snapshot, self.seconds)

    def until(self):
        """When a stage that begins now has to end."""
        return time.monotonic() + self.seconds


def repeated(work, times, until):
    """Milliseconds of each call."""
    took = []
    for _ in range(times):
        if time.monotonic() > until:
            raise Failed(f"{len(took)} of {times} measurements took too long")
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took


def start(register):
    with register.served("keep = false") as server:
        read = server.ready_seconds
        time.sleep(3)
        idle = Status(server.pid)
    # This start may find no file. A server that has read the register writes one when it ends.
    register.served().end()
    with register.served() as server:
        mapped, found = server.ready_seconds, "was read from its file" in server.log.read_text()
        time.sleep(3)
        of_file = Status(server.pid)
    figures = {"from the register, s": read, "idle, MB": idle.mb, "memory of the start, MB": idle.peak_mb}
    if found:
        figures |= {"from the file, s": mapped, "idle after it, MB": of_file.mb}
        figures["memory of that start, MB"] = of_file.peak_mb
    else:
        figures["failed"] = f"the file of the snapshot was not used: {server.log.read_text()[-200:]}"
    return figures


def page(register):
    board, until, figures = register.program.token("BOARD"), register.until(), {}
    provinces = "{ units(filter: {kind: {eq: PROVINCIAL_DEPARTMENT}}, first: 200) { nodes { code } } }"
    for kept, caches in (("nothing kept", {}), ("default caches", dict.fromkeys(register.caches, 128))):
        with register.served(**caches) as server:
            codes = [node["code"] for node in server.data(board, provinces)["units"]["nodes"]]
            turns = itertools.cycle({"department": code, "state": state} for code in codes for state in STATES)

            def ask(server=server, turns=turns):
                return server.data(board, PAGE, next(turns))

            once = len(codes) * len(STATES)
            repeated(ask, once, until)
            took = repeated(ask, 2 * once, until)
        figures |= {f"p50, ms, {kept}": percentile(took, 0.5), f"p99, ms, {kept}": percentile(took, 0.99)}
    return figures


def statistic(register):
    board, until, figures = register.program.token("BOARD"), register.until(), {}
    with register.served() as server:
        for name, measures in (("counts", "complaints"), ("four measures", FOUR), ("all measures", ALL)):
            asked = f"{{ groupCount rows {{ {measures} }} }}"
            query = f"{{ complaintStatistics(groupBy: [DEPARTMENT, CATEGORY, MONTH], first: 1) {asked} }}"

            def ask(query=query):
                return server.data(board, query)["complaintStatistics"]["groupCount"]

            figures["groups"] = ask()
            figures[f"{name}, ms"] = statistics.median(repeated(ask, 7, until))
        figures["memory, MB"] = Status(server.pid).peak_mb
    return figures


def search(register):
    board, until = register.program.token("BOARD"), register.until()
    query = "query($w: String!) { complaints(filter: {search: $w}, first: 25) { nodes { id } } }"
    with register.served() as server:
        one = server.data(board, "{ complaints(first: 1) { nodes { text } } }")["complaints"]["nodes"][0]["text"]
        searches = {"many matches": "container", "the text of one complaint": one[:200], "no match": "zyxwv không có"}
        return {
            f"{name}, ms": statistics.median(repeated(lambda w=words: server.data(board, query, {"w": w}), 5, until))
            for name, words in searches.items()
        }


def recurrence(register):
    ran = register.program.run("jobs", "run", "recurrence", "--as-of", LAST_DAY, seconds=register.seconds)
    return {"s": ran.seconds, "memory, MB": ran.peak_mb}


def imported(register):
    store = register.store
    file, mapping = register.folder / "import.csv", register.folder / "import.toml"
    write_complaints(file, register.size)
    write_mapping(mapping)
    url = store.fresh()
    try:
        done = Program(register.program.path, url).run(
            "import", "complaints", file, "--mapping", mapping, seconds=register.seconds
        )
        stored = json.loads(done.out)["imported"]
        if stored != register.size:
            raise Failed(f"{stored} of {register.size} complaints were imported")
        return {
            "s": done.seconds,
            "rows a second": register.size / done.seconds,
            "memory, MB": done.peak_mb,
            "database, MB": store.mb(url),
        }
    finally:
        store.drop(url)
        file.unlink()


STAGES = {
    "start": start,
    "page": page,
    "statistics": statistic,
    "search": search,
    "recurrence": recurrence,
    "import": imported,
}
